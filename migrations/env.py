"""Alembic's entry: the declared tables, and the connection it is given by migrations/upgrade.py."""

from alembic import context

from migrations.declared import TABLES, ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    include_object=ours,
    transactional_ddl=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()

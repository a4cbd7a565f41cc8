"""The schema's history: Alembic versions, the functions as they are now, and the upgrade that applies both."""

"""A new job rings no bell: the worker looks every half second.

The bell is a NOTIFY, and PostgreSQL lets only one transaction that rings it commit at a time: callbacks that arrive
together would wait for each other's flush of the disk."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("alter table procrastinate_jobs disable trigger procrastinate_jobs_notify_queue_job_inserted_v1")

"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
STEP = "expand"  # or "contract", with AFTER: docs/upgrading.md


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}

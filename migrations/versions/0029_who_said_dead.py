"""Which bureau says of a person that he is dead: only that one may take it back."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("enrolment", sa.Column("said_dead", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Who said it of the dead of before is not known but where one bureau alone has ended him: that one.
    op.execute(
        "update enrolment e set said_dead = true from person p where p.id = e.person_id and not p.alive"
        " and e.status = 'ENDED' and not exists (select from enrolment o where o.person_id = e.person_id"
        "   and o.insurance <> e.insurance and o.status = 'ENDED')"
    )

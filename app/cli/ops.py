"""flask ops …: the machine and what it holds, for the operator who runs it. Each verb stands in a file of its own,
`ops_<verb>.py`."""

from flask.cli import AppGroup

ops = AppGroup("ops", help="The machine: upgrades, backups, keys (运维).")

from app.cli import (  # noqa: E402, F401 each hangs its verb on the group
    ops_backup,
    ops_drill,
    ops_erase,
    ops_reopen,
    ops_reseal,
    ops_retention,
    ops_upgrade,
)

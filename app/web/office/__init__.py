"""The pages of the offices: tax, human resources, medical insurance, audit. Every route names the permission it
needs (app/access/roles.py); one that names none opens for nobody."""

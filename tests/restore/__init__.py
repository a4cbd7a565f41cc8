"""Backups and restores, on Debian's own PostgreSQL and pgBackRest."""

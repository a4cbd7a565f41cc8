"""Payers' complaints: `tables` hold them, `cases` find and write them. Nothing here commits or asks a gateway."""

"""The floor: money, clocks, error kinds, tables, the door out, redaction, the vault. Imports nothing of ours."""

"""JSON for the mini-program, under /api/v1. Money is whole fen; persons are named by references of the session."""

"""What must hold of the book at every moment (invariants.sql), and what the last look found."""

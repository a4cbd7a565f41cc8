"""What a department owes for people in whose place it pays, as bills of its own: drawn up from the book, paid by the
treasury or at the bank."""

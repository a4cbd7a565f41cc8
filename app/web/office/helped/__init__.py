"""Lists of helped people at the offices' pages: a department sends its own, and whoever it concerns leads failed rows
to their end; what departments owe for them, as bills."""

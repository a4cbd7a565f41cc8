"""Who pays in others' place, at the offices' pages: a department sends its list of helped people, whoever it concerns
leads failed rows to their end, what departments owe is a bill; sponsors and what they give."""

"""Money goes back: asked for, decided, sent under a number, booked (the SQL beside), what a payment still stands
for."""

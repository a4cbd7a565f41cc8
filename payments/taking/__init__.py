"""Money comes in: bills issued, a payment begun, an outcome believed and booked (collect.sql, take_outcome.sql),
found."""

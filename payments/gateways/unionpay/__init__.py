"""UnionPay ACP 5.1.0. `gateway` talks, `reading` believes or refuses, `statement` reads a day; the rest serves them."""

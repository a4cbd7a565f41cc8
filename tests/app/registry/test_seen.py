"""The table of met numbers says the same as a dict."""

from random import Random

from app.registry.seen import Seen


def test_it_remembers_the_first_row_of_every_number_while_it_grows() -> None:
    dice, seen, plain = Random(1), Seen(bits=2), dict[int, int]()

    for row in range(1, 20_000):
        key = dice.choice((dice.randrange(1, 5_000), dice.randrange(1, 1 << 64), (1 << 64) - row))
        assert seen.first(key, row) == plain.setdefault(key, row)

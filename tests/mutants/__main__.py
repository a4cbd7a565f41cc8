"""python -m tests.mutants [--only WORDS] [--lanes N]: try every mistake; exit status 1 if one goes unnoticed.

--random N --seed S: N mistakes made by chance instead (chance.py); exit status 1 below 95 in 100."""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.mutants.catalogue import MUTANTS, Mutant
from tests.mutants.chance import mistakes
from tests.mutants.trial import STILLBORN, noticed_by, unread

SCORE = 95  # of a hundred mistakes made by chance


def main() -> int:
    """Print a line for each mistake."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutants")
    asked.add_argument("--only", default="", help="words in the name")
    asked.add_argument("--lanes", type=int, default=2)
    asked.add_argument("--out", type=Path, default=Path("out") / "mutants.json")
    asked.add_argument("--random", type=int, default=0, help="so many mistakes made by chance")
    asked.add_argument("--seed", type=int, default=1)
    words = asked.parse_args()
    if trouble := unread():
        sys.exit(f"the tests cannot be read without a mistake either:\n{trouble}")
    every = mistakes(words.random, words.seed) if words.random else MUTANTS
    chosen = [one for one in every if words.only in one.name]
    with ThreadPoolExecutor(words.lanes) as lanes:
        results = list(lanes.map(partial(_try, then_all=bool(words.random)), chosen))
    results = [(one, by) for one, by in results if by != STILLBORN]
    missed = [one.name for one, by in results if by is None]
    words.out.parent.mkdir(parents=True, exist_ok=True)
    words.out.write_text(json.dumps({one.name: by for one, by in results}, ensure_ascii=False, indent=1))
    print(f"{len(results) - len(missed)} of {len(results)} noticed" + "".join(f"\n  missed: {name}" for name in missed))
    allowed = len(results) * (100 - SCORE) // 100 if words.random else 0
    return 1 if len(missed) > allowed or not results else 0


def _try(mutant: Mutant, *, then_all: bool) -> tuple[Mutant, str | None]:
    began = time.monotonic()
    by = noticed_by(mutant, then_all=then_all)
    print(
        f"{'noticed' if by else 'MISSED ':<8} {mutant.name:<70} {by or ''}  ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    return mutant, by


if __name__ == "__main__":
    sys.exit(main())

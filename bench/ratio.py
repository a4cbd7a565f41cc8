"""Measuring: ours and the limit in turn (A B A B …), the median of each, how noisy the run was, one ratio."""

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured thing: median, minimum and maximum of its runs, in `unit`."""

    name: str
    unit: str
    median: float
    least: float
    most: float

    @property
    def noise(self) -> float:
        """(most − least) ÷ median."""
        return (self.most - self.least) / self.median if self.median else 0.0


@dataclass(frozen=True)
class Ratio:
    """Ours against a limit. `at_least`: the ratio must reach the goal; else it must not pass it."""

    code: str
    title: str
    ours: Figure
    limit: Figure
    goal: float
    stretch: float
    at_least: bool = True

    @property
    def value(self) -> float:
        """Ours ÷ the limit."""
        return self.ours.median / self.limit.median

    @property
    def reached(self) -> bool:
        """The goal, not the stretch."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def line(self) -> str:
        """One readable line."""
        sign = "≥" if self.at_least else "≤"
        return (
            f"{self.code}  {self.title}\n"
            f"    ratio {self.value:.2f}   goal {sign} {self.goal} (stretch {self.stretch})"
            f"   {'reached' if self.reached else 'NOT reached'}\n"
            f"    {_words(self.ours)}\n    {_words(self.limit)}"
        )


def in_turn(
    ours: tuple[str, Callable[[], float]], limit: tuple[str, Callable[[], float]], *, unit: str, runs: int
) -> tuple[Figure, Figure]:
    """Run the limit and ours one after the other, `runs` times each."""
    seen: dict[str, list[float]] = {ours[0]: [], limit[0]: []}
    for _ in range(runs):
        for name, measure in (limit, ours):
            seen[name].append(measure())
    return tuple(figure(name, unit, seen[name]) for name in (ours[0], limit[0]))  # type: ignore[return-value]


def figure(name: str, unit: str, runs: list[float]) -> Figure:
    """The median of some runs."""
    return Figure(name, unit, statistics.median(runs), min(runs), max(runs))


def write(path: Path, found: list[Ratio], notes: dict[str, object]) -> None:
    """The same as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(ratio) | {"ratio": ratio.value, "reached": ratio.reached} for ratio in found]
    path.write_text(json.dumps({"ratios": rows, "notes": notes}, indent=1, ensure_ascii=False), encoding="utf-8")


def _words(one: Figure) -> str:
    return (
        f"{one.name:<34} {one.median:>10,.1f} {one.unit}  (min {one.least:,.1f}, max {one.most:,.1f},"
        f" noise {one.noise:.0%})"
    )

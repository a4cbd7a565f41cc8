"""A short season with killed processes and a crashed database loses nothing, and happens again exactly."""

import json
from pathlib import Path

import pytest

from tests.simulate.__main__ import main


def test_a_short_season_is_clean_and_happens_again_exactly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found.json"

    status = main(["--seeds", "7,7", "--payments", "56", "--lanes", "2", "--out", str(out)])

    first, second = json.loads(out.read_text(encoding="utf-8"))
    assert status == 0, capsys.readouterr().out
    assert first["kills"] >= 3
    assert first["crashes"] >= 1
    assert first["faulty"] * 10 >= first["deliveries"]
    assert first["fingerprint"] == second["fingerprint"]


def test_a_season_in_which_a_second_year_opens_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found.json"

    status = main(["--seeds", "2", "--payments", "12", "--two-years", "--out", str(out)])

    assert status == 0, capsys.readouterr().out
    [found] = json.loads(out.read_text(encoding="utf-8"))
    assert found["findings"]["broken"] == {}
    assert found["paid"] >= 3

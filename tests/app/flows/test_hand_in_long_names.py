"""A file is called what somebody's computer allows: two hundred Chinese letters there, 255 bytes on our disk."""

import pytest

from app.flows.hand_in.ask import ask, asked
from app.flows.hand_in.keep import as_file, kept
from tests.app.flows.test_hand_in import file, handed_in, hrss, process

__all__ = ["file", "hrss", "process"]


@pytest.mark.parametrize("name", ["参保登记" * 50 + ".csv", "𠮷" * 120 + ".csv", "参" * 250, "a." + "登" * 250])
def test_a_long_name_is_cut_and_its_file_is_looked_at(running, hrss, file, process, name):
    number = handed_in(running, hrss, file, name=name)

    with as_file(running.parts, number) as path:
        assert path.read_bytes() == file and path.name == kept(running.parts, number).name
    assert path.name[0] == name[0] and (path.suffix == ".csv") == name.endswith(".csv")
    look = ask(running.parts, hrss, "register_look", upload=number)
    process()
    assert asked(running.parts, look, kinds=("register_look",)).state in ("done", "failed"), "not tried again and again"

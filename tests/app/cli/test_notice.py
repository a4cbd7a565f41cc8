"""flask notice remind | templates, as an operator runs them."""

from app.cli.notice import notice
from tests.app.web.conftest import district, far_folder, running
from tests.refunding import rows

__all__ = ["district", "far_folder", "running"]


def run(running, *words):
    return running.app.test_cli_runner().invoke(notice, words)


def test_reminders_are_written_once_a_week(running, district):
    counted = run(running, "remind", "--town", district.village[:9], "--dry-run")
    assert "合计 total: 提醒 2 户" in counted.output and rows(running, "select 1 from notice") == []

    first, second = (run(running, "remind", "--village", district.village) for _ in range(2))

    assert first.exit_code == second.exit_code == 0
    assert "提醒 1 户" in first.output and "这周已经有的 1 户" in second.output


def test_a_place_nobody_knows_is_told(running):
    answer = run(running, "remind", "--village", "000000000000")

    assert answer.exit_code == 2 and "没有这个村" in answer.output


def test_every_message_can_be_read_before_it_is_sent(running):
    answer = run(running, "templates")

    assert answer.exit_code == 0
    for kind in ("paid", "remind", "waived", "certified", "login_code"):
        assert f"\n{kind}  " in "\n" + answer.output
    assert "$" not in answer.output

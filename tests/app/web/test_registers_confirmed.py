"""Two clerks of a bureau confirm the same file at once: it is taken in once, and the page says so."""

from app.access.roles import Role
from tests.app.registry.files import a_csv, a_row
from tests.app.web.test_registers import desk, hand_in, process
from tests.refunding import rows

__all__ = ["desk", "process"]


def test_a_file_that_two_clerks_confirmed_differently_is_told_as_taken(running, district, desk, process, tmp_path):
    """One of them says that its good rows are enough, though none is refused."""
    one, other = desk(Role.MEDICAL, "med01"), desk(Role.MEDICAL, "med02")
    where = hand_in(one, a_csv(tmp_path / "a.csv", a_row(61)))
    process()
    before = len(rows(running, "select 1 from import_batch"))

    for who, said in ((one, {}), (other, {"good_rows": "1"})):
        assert who.post(f"{where}/take", data=said).status_code == 303
    process()

    assert len(rows(running, "select 1 from import_batch")) == before + 1
    assert "已导入" in one.get(where).text and "没有导入" not in one.get(where).text
    assert one.get("/office/registers/").text.count("已导入") == 1
    assert other.post(f"{where}/take", data={"good_rows": "1"}).status_code == 409

"""Whatever column a department takes for another: no full number on a page, in the work's outcome or among a list's
words."""

from app.access.roles import Role
from tests.app.flows.test_hand_in import process
from tests.app.flows.test_helped_pages import desk, sent
from tests.app.helped.papers import a_line, a_list
from tests.builders import an_id_number
from tests.refunding import rows

__all__ = ["desk", "process"]
NUMBER = an_id_number(sequence=7)


def told(running):
    """All that is kept in clear of lists and their work."""
    return str(rows(running, "select words from special_row")) + str(
        rows(running, "select outcome, problem from office_job")
    )


def test_a_number_in_the_column_of_categories_is_not_told(running, adult, desk, process, tmp_path):
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    path = a_list(tmp_path / "a.xlsx", a_line(7, word=NUMBER), a_line(8, word="13800000001"), a_line(9, word="甲类"))
    job = sent(civil, path)
    process()

    batch = rows(running, "select id from special_batch")[0].id
    seen = civil.get(job).text + civil.get(f"/office/helped/{batch}").text + told(running)
    assert NUMBER not in seen and "13800000001" not in seen
    assert "甲类" in seen and "不认识" in seen


def test_a_list_without_a_header_tells_nobody(running, adult, desk, process, tmp_path):
    """Its first person would be taken for the titles."""
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    spoilt = [1, "张示例", NUMBER, "甲类"]
    job = sent(civil, a_list(tmp_path / "a.xlsx", [2, "李示例", an_id_number(sequence=9), "乙类"], head=spoilt))
    process()

    seen = civil.get(job).text + told(running) + str(rows(running, "select titles from special_batch"))
    assert NUMBER not in seen and an_id_number(sequence=9) not in seen


def test_a_long_name_is_a_name_as_well(running, adult, desk, process, tmp_path):
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    names = ("阿依古丽·买买提", "张 示例", "欧阳示例示例", "张示例（户主）")
    head = ["编码", "谁", "号码", "哪一种"]
    for at, name in enumerate(names):
        line = [1, name, an_id_number(sequence=9), "甲类"]
        job = sent(civil, a_list(tmp_path / f"{at}.xlsx", line, head=head))
        process()
        assert "请在下面指定" in civil.get(job).text and name not in civil.get(job).text + told(running), name

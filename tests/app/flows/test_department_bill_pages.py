"""A bureau draws a department's bill up at its page; the department takes its papers, and nobody else's."""

from io import BytesIO

from python_calamine import CalamineWorkbook

from app.access.roles import Role
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.flows.test_department_bills import bank, listed, settle
from tests.app.flows.test_helped_pages import desk
from tests.app.web.test_proofs import words_of
from tests.builders import an_id_number
from tests.refunding import rows, start

__all__ = ["desk"]


def test_a_bill_is_drawn_up_and_taken_by_whom_it_concerns(running, adult, desk, tmp_path):
    medical, hrss = desk("medical01", Role.MEDICAL), desk("hrss01", Role.HRSS)
    for none in (medical.get("/office/bills/").text, hrss.get("/office/bills/").text):
        assert "才有要出账单的" in none and "还没有出过账单" in none and "都出了账单" not in none
    batch = listed(running, tmp_path, 7)
    settle(running, adult, "free")
    wish = {"department": "civil", "year": "2022", "fund": "RES_MEDICAL", "source": str(batch), "seen": "32000"}
    assert f"名单 {batch}" in medical.get("/office/bills/").text and "320" not in hrss.get("/office/bills/").text

    assert hrss.post("/office/bills/draw", data=wish).status_code == 404, "no insurance of his"
    for spoilt, status in (({"seen": "32001"}, 409), ({"year": "99999"}, 404), ({"source": "x"}, 404)):
        assert medical.post("/office/bills/draw", data=wish | spoilt).status_code == status
    one = medical.post("/office/bills/draw", data=wish).location
    again = medical.post("/office/bills/draw", data=wish)
    assert again.status_code == 409 and "请看一遍再出" in again.text, "pressed twice, drawn up once"
    assert [row.drawn_by for row in rows(running, "select drawn_by from demand")] == ["staff:medical01"]
    number = one.rpartition("/")[2]
    assert "都出了账单" in medical.get("/office/bills/").text
    assert number in medical.get(f"/office/helped/{batch}").text

    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    cdpf = desk("cdpf01", Role.DEPARTMENT, departments=["cdpf"])
    page = civil.get(one).text
    assert "张*例" in page and an_id_number(sequence=7) not in page and "还差 320 元" in page
    assert number in civil.get("/office/bills/").text and "出账单" not in civil.get("/office/bills/").text
    head, line, total = (
        CalamineWorkbook.from_filelike(BytesIO(civil.get(f"{one}/people.xlsx").data))
        .get_sheet_by_index(0)
        .to_python()[:3]
    )
    assert (head[1], line[1:3], total[4]) == ("姓名", ["张示例", an_id_number(sequence=7)], "320.00")
    paper = words_of(civil.get(f"{one}/note.pdf").data)
    assert number in paper and "320.00" in paper and "张示例" not in paper
    for path in (one, f"{one}/people.xlsx", f"{one}/note.pdf"):
        assert cdpf.get(path).status_code == 404
    assert hrss.get(f"{one}/people.xlsx").status_code == 404
    assert [row.place for row in rows(running, "select place from disclosure")] == [f"demand:{number}"]
    assert f"代缴账单 {number}" in desk("auditor01", Role.AUDITOR).get("/office/audit/readings").text

    bank(running, ("B1", "320.00", number))
    assert "收齐了" in civil.get(one).text and "银行流水号 B1" in civil.get(one).text


def test_a_bill_is_drawn_up_at_the_terminal(running, adult, tmp_path):
    listed(running, tmp_path, 7)
    start(running, Want(adult, Insurance.RES_MEDICAL), key="free")
    sheet, note = tmp_path / "a.xlsx", tmp_path / "a.pdf"

    def said(*words):
        done = running.app.test_cli_runner().invoke(args=["helped", "bill", *words])
        assert done.exit_code == 0, done.output
        return done.output

    department, year, fund, batch, _, _, _, total = said("open").split()
    number = said("draw", department, year, fund, "--list", batch, "--total", total, "--by", "medical").strip()
    assert number in said("list") and "收到" in said("list", "--department", "civil")
    assert "张*例" in said("show", number, "--sheet", str(sheet), "--note", str(note), "--by", "medical")
    assert sheet.stat().st_size > 0 and note.read_bytes().startswith(b"%PDF") and said("open") == ""

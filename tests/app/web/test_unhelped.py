"""J5: whose row of a department's list failed reads on his own page why, and not to pay; nobody else does."""

from app.flows.helped import live
from app.flows.helped.check import check
from app.flows.helped.take import take
from tests.app.helped.papers import a_line, a_list
from tests.browsing import Browser

TOLD = live.Told("self", "phone")
WAITS = "您的名字还没办成，原因：认定到期了"


def test_he_is_told_on_his_own_phone_until_his_row_has_an_end(running, district, tmp_path):
    mine = district.adult
    row = a_line(0, number=mine.id_number, name=mine.name, until="2021-10-31")
    batch = check(running.office, a_list(tmp_path / "名单.xlsx", row), department="civil", by="staff:civil").batch
    own, other = Browser(running.url, phone="13800000000"), Browser(running.url)
    assert WAITS not in own.look_up(mine.name, mine.id_number).text, "a list that was only judged says nothing"
    take(running.office, batch, by="staff:civil")

    page = own.look_up(district.elder.name, district.elder.id_number)
    assert page.text.count(WAITS) == 1 and "低保" not in page.text
    assert WAITS not in other.look_up(mine.name, mine.id_number).text

    live.ended(running.office, batch, 1, state="RESOLVED", why="续办了", said=TOLD, hand=live.Hand(by="staff:civil"))
    assert WAITS not in own.get("/due").text
    own.close()
    other.close()

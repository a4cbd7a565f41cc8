"""A town makes its agents from a list, gives each a slip once, ends one, and renews a lost telephone by two."""

import re
from io import BytesIO

import pypdfium2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.staffing.rows import judged
from tests.app.flows.test_hand_in import process
from tests.app.flows.test_helped_pages import desk
from tests.app.registry.files import an_xlsx
from tests.app.web.test_office import PASSWORD
from tests.refunding import rows
from tests.system import second_code

__all__ = ["desk", "process"]
TOWN, FAR = "370404103", "370404104"
HEAD = ["序号", "姓名", "村居", "账号", "电话"]


def a_list(path, *people):
    """A sheet with a title above its header."""
    return an_xlsx(path, {"代办员": [["榴园镇代办员名单"], HEAD, *people]})


@pytest.fixture
def town(running, district, desk):
    return desk("town01", Role.TOWN, towns=[TOWN])


def test_a_list_of_the_offices_people_says_by_its_status_whether_anything_came_of_it(running, district, tmp_path):
    """Nothing but Chinese is said; where nobody is new because rows are refused, the command fails."""
    head = ["姓名", "账号", "角色", "镇街"]
    good = ["示例", "zhangsan", "税务经办", ""]
    bad = [["示例", "lisi", "局长", ""], ["示例", "wangwu", "镇街经办", ""]]
    lists = {}
    for name, lines in {"none": bad, "some": [good, *bad]}.items():
        lists[name] = str(an_xlsx(tmp_path / f"{name}.xlsx", {"人员": [head, *lines]}))

    def bring(*words):
        done = running.app.test_cli_runner().invoke(args=["staff", "bring", *words])
        return done.exit_code, done.output

    slips = tmp_path / "slips.pdf"
    for words in ((), ("--take", str(slips))):
        code, said = bring(lists["none"], *words)
        assert code == 1 and "不能建 2 个" in said and not slips.exists()
    code, said = bring(lists["some"], "--take", str(slips))
    assert code == 0 and "建好了 1 个" in said and slips.exists()
    assert not re.search(r"\b(made|there|refused|only)\b", said)
    assert bring(lists["some"])[0] == 1, "who was made is known, and the others are refused still"
    assert [row.login for row in rows(running, "select login from staff")] == ["zhangsan"]


def handed_in(client, path):
    with path.open("rb") as file:
        answer = client.post("/office/agents/", data={"file": (file, path.name)})
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_list_is_looked_at_confirmed_and_its_slips_given_once(running, district, town, process, desk, tmp_path):
    add_agent(running.office, login="d103901", name="老代办", password=PASSWORD, villages=[district.village])
    people = [
        [1, "王代办", district.village, "", ""],
        [2, "李代办", f"{district.village}、{district.other_village}", "li.daiban", ""],
        [3, "老代办", district.village, "", ""],
        [4, "赵代办", "没有的村", "", ""],
        [5, "", district.village, "", ""],
        [6, "钱代办", district.village, "有汉字", ""],
        [7, "孙代办", district.village, "li.daiban", ""],
        [8, "王代办", district.village, "", ""],
        [9, "周代办", f"{FAR}901", "", ""],
    ]
    look = handed_in(town, a_list(tmp_path / "名单.xlsx", *people))
    assert "正在排队" in town.get(look).text and process() == 1
    seen = town.get(look).text
    assert "要开</dt><dd>2 个" in seen and "已经有了</dt><dd>1 个" in seen and "不能开</dt><dd>6 行" in seen
    assert "王*办" in seen and "d103901-2" in seen and "不归本镇街" in seen and "写了两次" in seen
    assert rows(running, "select count(*) as n from agent")[0].n == 1, "nothing counts before it is confirmed"

    making = town.post(f"{look}/make").location
    assert town.post(f"{look}/make").status_code == 409
    process()
    done = town.get(making).text
    assert "已开</dt><dd>2 个" in done and "下载账号单" in done

    slips = town.post(f"{making}/slips")
    said = words_of(slips.data)
    assert slips.content_type == "application/pdf" and "d103901-2" in said and "李代办" in said and "老代办" not in said
    password = re.search(r"第一次的密码\s*(\S+)", said)[1]
    assert agent_client(running, "d103901-2", password) is not None
    assert password not in str(rows(running, "select * from office_job")), "what stands on a slip is kept nowhere else"
    other = desk("town02", Role.TOWN, towns=[TOWN])
    assert other.post(f"{making}/slips").status_code == 404, "a slip is given to who asked"
    town.post(f"{making}/forget")
    assert town.post(f"{making}/slips").status_code == 404 and "已经删掉了" in town.get(making).text
    again = handed_in(town, a_list(tmp_path / "再来.xlsx", *people[:2]))
    process()
    assert "没有要开的账号" in town.get(again).text and town.post(f"{again}/make").status_code == 409


def test_what_was_looked_at_is_made_or_nothing(running, district, town, process, tmp_path):
    look = handed_in(town, a_list(tmp_path / "a.xlsx", [1, "王代办", district.village, "wang", ""]))
    process()
    making = town.post(f"{look}/make").location
    add_agent(running.office, login="wang", name="别人", password=PASSWORD, villages=[district.village])
    process()
    assert "名单和看的时候不一样了" in town.get(making).text
    assert rows(running, "select count(*) as n from agent")[0].n == 1


def test_a_file_that_is_no_list_says_why(running, district, town, process, tmp_path):
    look = handed_in(town, an_xlsx(tmp_path / "x.xlsx", {"a": [["姓名", "电话"], ["王代办", "1"]]}))
    process()
    assert "没有找到表头" in town.get(look).text
    assert town.post("/office/agents/", data={"file": (BytesIO(b""), "")}).status_code == 400


def test_a_name_of_two_villages_wants_the_code(running, district, tmp_path):
    with running.office.engine.begin() as connection:
        connection.execute(
            text("insert into village values (:code, :town, '示例村')"), {"code": f"{TOWN}950", "town": TOWN}
        )
        path = a_list(tmp_path / "a.xlsx", [1, "王代办", "示例村", "", ""], [2, "李代办", "邻家村", "", ""])
        found = judged(running.office, connection, path, [TOWN])
    assert [each.code for each in found.refused] == ["VILLAGE_TWICE"] and len(found.new) == 1


def test_an_agent_of_the_town_is_ended_at_once_and_another_towns_is_not(running, district, town, far_agent):
    add_agent(running.office, login="wang", name="王代办", password=PASSWORD, villages=[district.village])
    his = agent_client(running, "wang", PASSWORD)
    assert his.get("/agent/").status_code in (200, 303)
    assert town.post(f"/office/agents/{far_agent}/end").status_code == 404

    assert town.post("/office/agents/wang/end").status_code == 303

    assert "/agent/login" in his.get("/agent/").location
    assert [tuple(row) for row in rows(running, "select login, active from agent order by login")] == [
        ("far", True),
        ("wang", False),
    ]
    noted = rows(running, "select by from act where what = 'disabled'")
    assert [row.by for row in noted] == ["staff:town01"]


def test_a_lost_telephone_needs_a_second_person(running, district, town, desk, process):
    add_agent(running.office, login="wang", name="王代办", password=PASSWORD, villages=[district.village])
    agent_client(running, "wang", PASSWORD)
    before = code_secret(running)
    assert town.post("/office/agents/wang/lost", data={"why": "丢"}).status_code == 400
    town.post("/office/agents/wang/lost", data={"why": "本人到镇里说手机丢了"})
    number = rows(running, "select id from lost_second")[0].id
    assert town.post(f"/office/agents/lost/{number}", data={"agreed": "yes"}).status_code == 403
    town.post(f"/office/agents/lost/{number}/renew")
    process()
    assert code_secret(running) == before, "nobody agreed yet"

    lead = desk("lead01", Role.TAX_LEAD)
    assert "本人到镇里说手机丢了" in lead.get("/office/agents/").text
    assert lead.post(f"/office/agents/lost/{number}", data={"agreed": "yes"}).status_code == 303
    moved = "update staff set towns = :towns where login = 'town01'"
    with running.office.engine.begin() as connection:
        connection.execute(text(moved), {"towns": [FAR]})
    town.post(f"/office/agents/lost/{number}/renew")
    process()
    assert code_secret(running) == before, "who asked keeps agents of another town now"
    with running.office.engine.begin() as connection:
        connection.execute(text(moved), {"towns": [TOWN]})
    work = town.post(f"/office/agents/lost/{number}/renew").location
    process()

    assert code_secret(running) != before
    slip = words_of(town.post(f"{work}/slips").data)
    assert "王代办" in slip and "第一次的密码" not in slip
    again = town.post(f"/office/agents/lost/{number}/renew").location
    process()
    assert "已经办过了" in town.get(again).text or again == work
    with pytest.raises(DBAPIError, match="answered once"), running.office.engine.begin() as connection:
        connection.execute(text("update lost_second set made_at = now()"))


@pytest.fixture
def far_agent(running, district):
    with running.office.engine.begin() as connection:
        connection.execute(text("insert into town values (:town, '远镇')"), {"town": FAR})
        connection.execute(
            text("insert into village values (:code, :town, '远村')"), {"code": f"{FAR}901", "town": FAR}
        )
    add_agent(running.office, login="far", name="远代办", password=PASSWORD, villages=[f"{FAR}901"])
    return "far"


def agent_client(running, login, password):
    client = running.app.test_client()
    fields = {"login": login, "password": password, "code": second_code(running.url, login)}
    assert client.post("/agent/login", data=fields).status_code == 303
    return client


def words_of(pdf):
    pages = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in pages)


def code_secret(running):
    return bytes(rows(running, "select second from agent")[0].second)

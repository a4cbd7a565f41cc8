"""The mini-program's own files hang together, and its six screens work against the running system."""

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree as Xml

import pytest

from app.flows.pay.start import Want
from app.flows.register import determine
from app.flows.register.apply import apply
from app.flows.register.determine import Ruling
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from tests.app.web.conftest import district, far_folder, running
from tests.browsing import a_phone
from tests.conftest import DATABASE
from tests.house.tree import ROOT
from tests.level_years import level_district
from tests.refunding import pay, rows
from tests.shape_years import shape_district
from tests.system import system

__all__ = ["district", "far_folder", "running"]

HERE = ROOT / "miniprogram"
PAGES = json.loads((HERE / "app.json").read_text(encoding="utf-8"))["pages"]
MOST_BYTES = 2 * 1024 * 1024  # the vendor's limit for a package


def read(page: str, end: str) -> str:
    return (HERE / f"{page}.{end}").read_text(encoding="utf-8")


def test_it_has_six_screens_and_is_small() -> None:
    shipped = [each for each in HERE.rglob("*") if each.is_file() and not {"node_modules", "tests"} & set(each.parts)]

    assert len(PAGES) == 6
    assert sum(each.stat().st_size for each in shipped) < MOST_BYTES // 20


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_what_its_script_has(page: str) -> None:
    markup, script = read(page, "wxml"), read(page, "js")
    tree = Xml.fromstring(f'<page xmlns:wx="wx">{re.sub(r"&&", "&amp;&amp;", markup)}</page>')

    handlers = {value for each in tree.iter() for name, value in each.attrib.items() if name.startswith("bind")}
    assert all(re.search(rf"^\s+(?:async )?{handler}\(", script, re.MULTILINE) for handler in handlers), handlers
    data = set(re.findall(r"(\w+):", re.search(r"data: \{(.*?)\},\n", script, re.S)[1]))
    loops = {value for each in tree.iter() for name, value in each.attrib.items() if name.endswith("for-item")}
    used = set(re.findall(r"\{\{\s*(\w+)", markup)) - loops - {"item", "index"}
    assert used <= data, used - data


def test_what_is_agreed_to_is_the_text_of_the_website() -> None:
    """B22: the consent was to a text that could not be read there."""
    page = (ROOT / "app/web/templates/resident/privacy.html").read_text(encoding="utf-8").partition("<section")[2]
    page = re.sub(r"{% block.*?%}|<[^>]*>|\s", "", page.partition("<a class")[0]).partition(">")[2]
    script = (HERE / "lib/privacy.js").read_text(encoding="utf-8")
    theirs = re.sub(r"\s", "", "".join(re.findall(r"[\"`]([^\"`]*[\u4e00-\u9fff][^\"`]*)[\"`]", script)))

    theirs = theirs.replace("${helpPhone}", "{{help_phone}}").replace("${payee}", "：{{payee}}")
    assert theirs == page


@pytest.mark.parametrize("page", PAGES)
def test_no_amount_but_a_pensions_is_typed_and_what_is_tapped_has_a_name(page: str) -> None:
    tree = Xml.fromstring(f'<page xmlns:wx="wx">{read(page, "wxml")}</page>')

    for field in tree.iter("input"):
        assert field.get("aria-label") in {"手机号", "验证码", "姓名", "身份证号", "养老金额"}
    for each in tree.iter("view"):
        assert each.get("bindtap") is None or each.get("aria-role"), "a view that is tapped says what it is"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_its_screens_lead_from_the_phone_to_the_paper(running, district) -> None:
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set is_migrant = true where id = %s", (district.adult.id,))
    number = apply(running.parts, district.adult.id, Insurance.RES_PENSION, Kind.POLICY_BACKPAY, by="staff:desk")
    determine.decide(running.office, number, Ruling(True, 150000, (2020, 2021)), by="staff:hrss")
    done = _on_the_phone(running, district)

    assert done.returncode == 0 and "# skipped 0" in done.stdout, done.stdout[-3000:]
    assert [row.amount for row in rows(running, "select amount from payment where state = 'paid'")] == [232000]
    settled = "select determination, personal_due from bill where state = 'settled' order by personal_due"
    assert rows(running, settled) == [(None, 32000), (None, 50000), (number, 150000)]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_a_level_and_an_amount_are_chosen_on_the_phone(engine, database, far_folder, district, tmp_path):
    with system(database, DATABASE, far_folder, DISTRICT=level_district(tmp_path)) as up:
        done = _on_the_phone(up, district, LEVELS="1")

        assert done.returncode == 0 and "# skipped 0" in done.stdout, done.stdout[-3000:]
        settled = "select person_id, level, tier, personal_due from bill where state = 'settled' order by personal_due"
        assert rows(up, settled) == [(district.adult.id, 2, None, 50000), (district.adult.id, None, 123400, 123400)]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_the_tier_of_a_pension_that_is_paid_is_raised_on_the_phone(engine, database, far_folder, district, tmp_path):
    with system(database, DATABASE, far_folder, DISTRICT=shape_district(tmp_path)) as up:
        pay(up, Want(district.adult.id, Insurance.RES_PENSION, 30000), key="the premium")
        done = _on_the_phone(up, district, RISE="1")

        assert done.returncode == 0 and "# skipped 0" in done.stdout, done.stdout[-3000:]
        settled = "select tier, raised_from, personal_due from bill where state = 'settled' order by personal_due"
        assert rows(up, settled) == [(50000, 30000, 20000), (30000, None, 30000)]


def _on_the_phone(running, district, **more):
    """Its tests against the running system, on a phone nobody had before."""
    login = running.outside.post("/phone/login-code", {"phone": "mini"})
    told = {
        **{"LIANGXIAN_API": f"{running.url}/api/v1", "SANDBOX": running.outside.url, "PHONE": a_phone()},
        **{"OPENID": login["openid"], "NEIGHBOUR": district.neighbour.name},
        "NEIGHBOURS_NUMBER": district.neighbour.id_number,
        **{"NAME": district.adult.name, "ID_NUMBER": district.adult.id_number, "PATH": "/usr/local/bin:/usr/bin:/bin"},
    }
    run = [shutil.which("node") or "", "--test", "tests/"]
    return subprocess.run(run, check=False, cwd=HERE, env=told | more, capture_output=True, text=True, timeout=90)

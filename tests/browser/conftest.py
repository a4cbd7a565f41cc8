"""A real browser on a small phone, in front of the running system."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.app.web.conftest import an_agent, district, far_folder, running
from tests.browsing import a_phone, code_in
from tests.rosters import in_force
from tests.system import last_text, second_code

__all__ = ["an_agent", "district", "far_folder", "running"]

SHOTS = Path(__file__).resolve().parents[2] / "out" / "screenshots"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def collecting(running, an_agent):
    """The agent, whose village's rosters are in force."""
    in_force(running)
    return an_agent


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


AXE = Axe()
_ALL = {"resultTypes": ["violations"]}
_BUT_CONTRAST = _ALL | {"rules": {"color-contrast": {"enabled": False}}}  # every look measures it


def audit(page: Page, name: str, options: dict = _ALL) -> None:
    """No finding of axe-core that is serious or critical, once the page is there after a click."""
    page.wait_for_load_state("domcontentloaded")
    found = AXE.run(page, options=options).response["violations"]
    findings = [each for each in found if each["impact"] in ("serious", "critical")]
    told = [(each["id"], [node["html"][:160] for node in each["nodes"]]) for each in findings]
    assert told == [], f"{name}: {told}"


class Phone:
    """One page at 375 × 812; every look is judged and kept as a picture."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, words: str) -> None:
        """A click, and the page it leads to, read to its end."""
        self.page.get_by_role("button", name=words).or_(self.page.get_by_role("link", name=words)).first.click()
        self.page.wait_for_load_state("domcontentloaded")

    def fill(self, label: str, typed: str) -> None:
        self.page.get_by_label(label).fill(typed)

    def look(self, name: str) -> str:
        """Judge the page by the elder-friendly norms; keep a picture; its text."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_load_state("domcontentloaded")
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True, scale="css")
        seen = self.page.evaluate(_SEEN)
        assert seen["overflow"] <= 0, f"{name} scrolls sideways by {seen['overflow']} px"
        assert seen["base"] >= 18 and not seen["small"], f"{name}: {seen['base']} px, smaller: {seen['small']}"
        assert not seen["low"], f"{name}: too low to hit: {seen['low']}"
        assert not seen["amounts"], f"{name}: amounts under 32 px: {seen['amounts']}"
        assert not seen["pale"], f"{name}: contrast under 4.5: {seen['pale']}"
        assert not seen["nameless"], f"{name}: fields without a label: {seen['nameless']}"
        if "large" not in name:  # the sizes differ in type only
            audit(self.page, name)
        return self.page.inner_text("body")

    def look_at_desk(self, name: str, width: int) -> None:
        """A page of the offices at a width: nothing scrolls sideways; keep a picture."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_load_state("domcontentloaded")
        self.page.set_viewport_size({"width": width, "height": 812})
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True, scale="css")
        sideways = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{name} scrolls sideways by {sideways} px"
        if "large" not in name and width > 375:
            audit(self.page, name)

    def sign_in(self, someone: object = None, then: str = "") -> None:
        """By the code of a text message; with name and number of `someone` at the first visit."""
        number = a_phone()
        self.open("/login" + (f"?then={then}" if then else ""))
        self.fill("手机号", number)
        self.press("发验证码")
        self.fill("验证码", code_in(last_text(self.base, number)))
        if someone is not None:
            self.who(someone.name, someone.id_number)
            self.page.get_by_label("我同意").check()
        self.press("登录，看要交多少")

    def who(self, name: str, id_number: str) -> None:
        self.fill("姓名", name)
        self.fill("身份证号", id_number)

    def log_in_office(self, login: str, password: str) -> None:
        self.log_in("/office/login", login, password)

    def log_in(self, path: str, login: str, password: str) -> None:
        self.open(path)
        self.page.locator("[name=login]").fill(login)
        self.page.locator("[name=password]").fill(password)
        self.page.locator("[name=code]").fill(second_code(self.base, login))
        self.page.get_by_role("button", name="登录").click()


_SEEN = """() => {
  const shown = (e) => e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden'
    && e.getBoundingClientRect().right > 0;
  const all = (what) => [...document.querySelectorAll(what)].filter(shown);
  const size = (e) => parseFloat(getComputedStyle(e).fontSize);
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  const rgb = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const contrast = (e) => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const texts = all('body *').filter(own);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    base: size(document.body),
    small: texts.filter((e) => size(e) < 18).map((e) => e.textContent.trim().slice(0, 20)),
    low: all('button, a.button, summary, select, .tick, input[type=text], input[type=password], input[type=search]')
      .filter((e) => e.getBoundingClientRect().height < 60).map((e) => e.textContent.trim() || e.id),
    amounts: all('.amount').filter((e) => size(e) < 32 || !e.textContent.includes('元')).map((e) => e.textContent),
    pale: texts.filter((e) => contrast(e) < 4.5).map((e) => e.textContent.trim().slice(0, 20)),
    nameless: all('input:not([type=hidden]), select').filter((e) => !e.labels.length).map((e) => e.name),
  };
}"""


@pytest.fixture(params=["normal", "large"])
def phone(request, chromium: Browser, running) -> Iterator[Phone]:
    """In the normal type and in the large one."""
    context = chromium.new_context(viewport={"width": 375, "height": 812}, device_scale_factor=2, locale="zh-CN")
    context.set_default_timeout(10_000)
    if request.param == "large":
        context.add_cookies([{"name": "elder", "value": "1", "url": running.url}])
    held = Phone(context.new_page(), running.url)
    held.size = request.param
    yield held
    context.close()

"""The page that reads the OpenAPI document: a kept viewer, all of it served by us."""

from tests.browser.conftest import SHOTS


def test_the_interface_can_be_read_and_nothing_is_fetched_from_elsewhere(phone, running):
    said, asked = [], []
    phone.page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    phone.page.on("request", lambda request: asked.append(request.url))

    phone.open("/api/")

    phone.page.get_by_text("/api/v1/payments/{number}", exact=True).first.wait_for(timeout=20_000)
    phone.page.screenshot(path=SHOTS / "api.png")
    assert said == []
    assert [url for url in asked if not url.startswith((phone.base, "data:"))] == []


def test_without_a_script_the_document_is_named(running):
    page = running.app.test_client().get("/api/").text
    assert "<noscript>" in page and "/api/openapi.json" in page

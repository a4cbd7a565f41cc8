"""How somebody may pay with what he holds in his hand, and his way out of here where WeChat is to be asked first."""

from flask import Response, current_app, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from app.flows.enter.detour import send_off
from app.flows.pay.pause import paused_words
from app.flows.pay.start import Kind
from app.web.door.access import here
from app.web.door.csp import policy
from app.web.door.parts import parts
from app.web.ways import PROGRAM, codes, ways
from app.web.wishes import tier_fields

_PROGRAMS = ("https://wxaurl.cn", "https://wxmpurl.cn")  # where links into mini-programs begin


def offered(failed: str) -> dict[str, object]:
    """For the page that asks how: `ways` to pay here, `codes` for another phone, and last what has just `failed`; of
    all `channels` those that are `paused` are not among them, and the page says their words."""
    paused = paused_words(parts())
    in_wechat = PROGRAM if parts().program_link is not None else Kind.ACCOUNT if parts().account is not None else ""
    every = ways(parts().gateways, request.user_agent.string, in_wechat=in_wechat)
    found = [way for way in every if way.gateway not in paused]
    left = [way for way in found if way.value != failed]
    return {
        "channels": codes(parts().gateways),
        "paused": paused,
        "address": parts().public_url.partition("://")[2],
        "ways": [way for way in left if not way.elsewhere],
        "codes": [way for way in left if way.elsewhere],
        "failed": [way for way in found if way.value == failed],
    }


def may_lead_to_wechat(template: str, **words: object) -> Response:
    """A page whose form may be answered with a page of WeChat's: who he is there, or the mini-program."""
    settings, account = current_app.extensions["settings"], parts().account
    pages = [account().open_url] if account else []
    if parts().program_link is not None:
        pages += [settings.sandbox_url] if settings.is_sandbox else _PROGRAMS
    answer = make_response(render_template(template, **words))
    answer.headers["Content-Security-Policy"] = policy(*pages)
    return answer


def to_wechat(form: MultiDict[str, str]) -> str:
    """WeChat's page that says who he is; it comes back to us, where the same wish goes on."""
    wish = [(name, value) for name, value in form.items(multi=True) if name != "csrf_token"]
    return send_off(parts(), here(), wish, back=f"{parts().public_url}{url_for('resident.back_from_wechat')}")


def another_way(fields: MultiDict[str, str]) -> str:
    """The page that asks how, again, for the same wish: this way did not work."""
    return ask_again(fields, failed=fields.get("by"))


def ask_again(fields: MultiDict[str, str], **more: str | None) -> str:
    """The page that asks how, again, for the same wish."""
    items = fields.getlist("item")  # whether somebody paid elsewhere was asked before
    return url_for("resident.confirm", item=items, home=items, **more, **tier_fields(fields))

"""GET /api/v1/policy: a levy year's figures and days, for everybody."""

from typing import Any

from apiflask import APIBlueprint
from flask import request

from app.policy.prices import Medical
from app.policy.year import NoSuchYear
from app.web.api.told import PolicyTold, answers
from app.web.door.parts import parts

bp = APIBlueprint("policy", __name__, tag="政策 policy")


@bp.get("/policy")
@bp.doc(responses=answers(PolicyTold, 200, 404))
def policy() -> dict[str, Any]:
    """What a year's notice says

    Amounts in fen, days YYYY-MM-DD (Beijing). `?year=` asks for another one than the newest; `open` are those that can
    be paid. `medical` null, or `tiers` empty and `between` null: that insurance is not collected for the year.
    `levels`: of the medical insurance, to be chosen from; `between`: any whole yuan may be paid for the pension."""
    levy = parts().levy
    asked = request.args.get("year", default=levy.years.newest, type=int)
    if asked not in levy.ever.all:
        raise NoSuchYear(str(asked))
    rules = levy.rules(asked)
    dates = rules.dates
    return {
        "year": rules.year,
        "open": list(levy.years.all),
        "source": f"{rules.source.number} {rules.source.title}",
        "medical": _medical(rules.has_medical) if rules.has_medical else None,
        "tiers": [
            {"tier": tier.amount, "gov_subsidy": tier.subsidy, "kept": bool(tier.only_for)}
            for tier in (rules.has_pension.tiers.values() if rules.has_pension else ())
        ],
        "levels": list(rules.has_medical.levels) if rules.has_medical else [],
        "between": list(rules.has_pension.between) if rules.has_pension and rules.has_pension.between else None,
        "windows": {
            "self_open": dates.self_open.isoformat(),
            "agent_open": dates.agent_open.isoformat(),
            "concentrated_end": dates.concentrated_end.isoformat(),
            "normal_price_end": dates.normal_price_end.isoformat(),
            "late_end": dates.late_end.isoformat(),
            "benefit_from": dates.benefit_from.isoformat(),
            "benefit_to": dates.benefit_to.isoformat(),
        },
    }


def _medical(medical: Medical) -> dict[str, int]:
    base = medical.base
    return {
        "total": base.total,
        "personal": base.personal,
        "gov_subsidy": base.subsidy,
        "waiting_days": medical.late_waiting_days,
    }

"""The pension premium of a year, table by table, for whoever writes or signs it. Pure."""

from collections.abc import Mapping

from app.policy.lines import chinese_day
from app.policy.terms import PolicyYear
from app.policy.tiers import Band, Pension, Tier
from app.policy.told_medical import ground_row
from app.policy.told_who import Row, in_yuan, told_groups, told_who
from app.policy.words import phrases
from core.money import Fen, plain_yuan


def pension_rows(rules: PolicyYear, pension: Pension, departments: Mapping[str, str]) -> dict[str, list[Row]]:
    """Key of a table → its rows."""
    default = pension.default_tier or 0
    return {
        "pension": _pension(pension),
        "tiers": [_tier(tier, rules) for tier in pension.tiers.values()] + _between(pension),
        "bands": [(_span(band), _subsidy(band)) for band in pension.bands] if pension.between else [],
        "substitute": [ground_row(ground, rules, departments, personal=default) for ground in pension.grounds],
        "extras": [(told_who(extra.who, rules), plain_yuan(extra.amount)) for extra in pension.extras],
        "bonus": _bonus(pension),
    }


def _pension(pension: Pension) -> list[Row]:
    words, calendar = phrases("told"), pension.calendar
    rows = [
        (words["join_age"], str(pension.join_age)),
        (words["due_until_age"], str(pension.due_until_age)),
        *((words[name], chinese_day(getattr(calendar, name))) for name in ("opens", "normal_end", "last")),
    ]
    if pension.default_tier is not None:
        rows.append((words["default_tier"], in_yuan(pension.default_tier)))
    if pension.raising_until:
        rows.append((words["raising"], chinese_day(pension.raising_until)))
    if aid := pension.aid:
        rows.append((words["aid"], in_yuan(aid.most)))
        span = words["aid_span"].format(opens=chinese_day(aid.opens), last=chinese_day(aid.last))
        rows += [(words["aid_days"], span), (words["aid_way"], words["aid_elsewhere"])]
    for name in ("tier", "most"):
        if (amount := getattr(pension.backpay, name)) is not None:
            rows.append((words[f"backpay_{name}"], in_yuan(amount)))
    return rows


def _tier(tier: Tier, rules: PolicyYear) -> Row:
    kept = told_groups(tier.only_for, rules) if tier.only_for else phrases("told")["everybody"]
    return in_yuan(tier.amount), in_yuan(tier.subsidy), in_yuan(tier.amount + tier.subsidy), kept


def _between(pension: Pension) -> list[Row]:
    if pension.between is None:
        return []
    words = phrases("told")
    least, most = (plain_yuan(amount) for amount in pension.between)
    return [(words["between"].format(least=least, most=most), words["bands_below"], "", words["everybody"])]


def _span(band: Band) -> str:
    words = phrases("told")
    low, high = plain_yuan(band.low), band.high
    if high is None:
        return words["band_from"].format(low=low)
    return words["band_one" if band.low == high else "band_to"].format(low=low, high=plain_yuan(high))


def _subsidy(band: Band) -> str:
    amount: Fen = band.subsidy
    return in_yuan(amount) if band.share_bp is None else _percent(band.share_bp)


def _percent(share_bp: int) -> str:
    return phrases("told")["percent"].format(share=plain_yuan(share_bp))


def _bonus(pension: Pension) -> list[Row]:
    words, bonus = phrases("told"), pension.bonus
    if bonus is None:
        return []
    return [(words["bonus_amount"], in_yuan(bonus.amount)), (words["wife_age"], str(bonus.wife_age))]

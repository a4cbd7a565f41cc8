"""The pension premium of any file: tier, subsidy, what is paid in the person's place, the couples' bonus."""

from tests.app.policy.anew.asking import Asking, Table, first, ground_of, helped, share


def ground(c: Asking) -> Table | None:
    return ground_of(c.room.get("substitute", {}).get("grounds", []), c)


def chosen(c: Asking) -> int | None:
    """Who is paid for need not choose; a back-payment is never paid for, and may have a tier of its own."""
    if c.tier is None and c.backpay:
        return c.room.get("backpay", {}).get("tier")
    if c.tier is None and not c.backpay and ground(c):
        return c.room["substitute"]["default_tier"]
    return c.tier


def is_tier(c: Asking) -> bool:
    """One of the list, or whole yuan within the bounds."""
    tier, bounds = chosen(c), c.room.get("between")
    in_bounds = bounds is not None and bounds["least"] <= tier <= bounds["most"] and tier % 100 == 0
    backpay = c.room.get("backpay", {}) if c.backpay else {}
    if tier != backpay.get("tier", tier) or tier > backpay.get("most", tier):
        return False
    return tier in c.room.get("tiers", []) or in_bounds


def kept_from(c: Asking) -> bool:
    """Is the tier kept for others?"""
    kept = {rule["tier"]: set(rule["categories"]) for rule in c.room.get("kept", [])}
    return chosen(c) in kept and not kept[chosen(c)] & c.facts.categories


def subsidy_of(c: Asking, tier: int) -> int:
    band = next(band for band in c.room["subsidy_bands"] if band["from"] <= tier <= band.get("to", tier))
    own = share(tier, band["share_bp"]) if "share_bp" in band else band["subsidy"]
    extra = first(c.room.get("extras", []), c)
    return own + (extra["amount"] if extra else 0)


def bonus_of(c: Asking) -> int:
    """Of both, once the wife has the age."""
    wife = c.facts.birth_date if c.facts.sex == "F" else c.facts.spouse_birth
    if "bonus" not in c.room or c.facts.family_type == "none" or wife is None:
        return 0
    on = c.dates["age_reference"]
    reached = (on.year - wife.year, on.month, on.day) >= (c.room["bonus"]["wife_age"], wife.month, wife.day)
    return c.room["bonus"]["amount"] if reached else 0


def pension(c: Asking) -> Table:
    """Every column of a premium that can be paid."""
    tier = chosen(c)
    substitute = helped(ground(c), tier, c.room.get("substitute", {}).get("amount", 0))
    subsidy, bonus = subsidy_of(c, tier), bonus_of(c)
    in_time = c.day <= c.calendar["normal_end"]
    by_right = "OK_RESIDENCE_PERMIT" if c.facts.residence != "hukou" else "OK"
    reason = by_right if in_time else "OK_OUT_OF_WINDOW"
    return {
        "reason_code": reason if tier > substitute else "OK_WAIVED",
        "price_basis": "normal" if in_time else "special",
        "total": tier,
        "personal_due": tier - substitute,
        "gov_substitute": substitute,
        "sponsor_share": 0,
        "gov_subsidy": subsidy,
        "couple_bonus": bonus,
        "account_credit": tier + subsidy + bonus,
    }

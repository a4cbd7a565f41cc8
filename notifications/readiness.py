"""Would every kind of notice leave by this provider, how is it shortened, and what does it cost? Pure, save `asked`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from notifications.approved import CUT, parts, places, template
from notifications.channels import Account, Approves, ChannelSilent, RefusesUs


@dataclass
class Fitness:
    """One kind at one provider. `problems` keep it from leaving; `cut`: variable → letters it can have; `letters` and
    `price` (tenths of a fen) of the longest message, mark included."""

    kind: str
    template: str
    problems: list[str] = field(default_factory=list)
    cut: Mapping[str, int] = field(default_factory=dict)
    letters: int = 0
    price: int = 0


def fitness(account: Account, kind: str, longest: Mapping[str, str]) -> Fitness:
    """`longest`: of each variable the longest value there can be."""
    found = Fitness(kind, account.templates.get(kind, ""))
    if not found.template:
        found.problems.append("没有模板编号")
    too_long = {name: len(longest[name]) for name in places(kind) if len(longest[name]) > account.longest}
    found.cut = {name: letters for name, letters in too_long.items() if name in CUT}
    found.problems += [
        f"{name} 最长{letters}个字，这里只许{account.longest}个字，又不能缩短"
        for name, letters in too_long.items()
        if name not in CUT
    ]
    values = {name: longest[name][: account.longest] for name in places(kind)}
    body = template(kind).template
    written = sum(len(value) for value in values.values())
    fixed = len(body) - sum(len(name) + 1 for name in places(kind))
    found.letters = len(f"【{account.sign}】") + fixed + written
    found.price = parts(found.letters) * account.price
    return found


def asked(channel: Approves, kind: str) -> str:
    """What the provider says against a template of ours, by a question that sends nothing; empty where it is ours, or
    where it tells us nothing."""
    try:
        there = channel.approved(kind)
    except RefusesUs as refused:
        return f"服务商不认：{refused}"
    except ChannelSilent as silent:
        return f"服务商没有回答：{silent}"
    ours = places(kind)
    if there is None or there in (ours, tuple(str(number) for number in range(1, len(ours) + 1))):
        return ""
    return f"批准的变量是 {'、'.join(there) or '没有'}，这里要 {'、'.join(ours) or '没有'}"

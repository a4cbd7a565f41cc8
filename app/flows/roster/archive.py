"""One paper for the file of a village's roster: from the same definitions as the pages, for district, town and auditor.
What people objected stands on it for the office that answered and the auditor alone; nobody's name but masked ones."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from app.access.roles import Role
from app.access.sessions import Officer
from app.documents.filed import Archive, Names, Photo, Table
from app.documents.hanging import grouped
from app.documents.said_days import dated, full_day, hangs_until_in_year
from app.flows.parts import Parts
from app.flows.roster import closings, desk, objections, post, put_up
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry import closings as after
from app.registry.rosters import CHANGES, DONE, LEFT_OUT, ODD, SHOWN, WORDS, Stage

AUTHORS = {"account": "村民在网页上", "agent": "代办员替人", "staff": "镇街替来电的人"}


def archive_of(parts: Parts, who: Officer, roster: int) -> Archive:
    """Everything of it until now. NoSuchRoster."""
    found = desk.sheet(parts, who, roster)
    row = found.line.row
    closing = closings.of_place(parts, who, row.levy_year, row.insurance, row.village_code)
    with parts.reading() as connection:
        asked = {"id": roster}
        postings = connection.execute(_POSTINGS, asked).all()
        odd = {(each.no, each.kind): each.number for each in connection.execute(_ODD, asked)}
        changes = connection.execute(_CHANGES, asked).all()
        shown = row.effective_no or max((each.no for each in postings), default=row.no)
        names = connection.execute(_NAMES, asked | {"no": shown}).scalars().all()
    title = f"{row.town}{row.village} {row.levy_year}年{phrases('names')[Insurance(row.insurance)]}征收清册档案"
    return Archive(
        title=title,
        issuer=parts.issuer,
        at=parts.clocks.now(),
        facts=_facts(row, closing),
        tables=[
            _versions(found.versions, odd),
            _steps(found.steps),
            _hung(postings),
            _objections(parts, who, roster, row.insurance),
            Table(
                "改了谁（每一条都是登记的变更）",
                ("第几版", "姓名", "加上、去掉", "为什么"),
                [
                    (f"第{each.no}版", each.masked, "加上" if each.what == "added" else "去掉", CHANGES[each.why])
                    for each in changes
                ],
            ),
            *([_closing_versions(closing), _closing_steps(closing)] if closing else []),
        ],
        photos=[*_photos(parts, roster, postings), *(_closing_photos(parts, closing) if closing else [])],
        lists=[Names(f"名单（第{shown}版，姓名遮住一部分）", names), *_closing_lists(parts, closing)],
        foot=f"{title}　{dated(parts.clocks.now())}由{who.login}导出，只供办公使用",
    )


def _facts(row: Any, closing: closings.Whole | None) -> list[tuple[str, str]]:
    stand = f"生效的是第{row.effective_no}版" if row.effective_no else "还没有生效的版本"
    after_it = after.STANDS[closing.line.stand] if closing else "还没有出"
    where = (
        f"已归档，{stand}"
        if row.archived
        else stand
        if row.state == Stage.EFFECTIVE
        else f"{WORDS[row.state]}，{stand}"
    )
    return [("清册", where), ("参保缴费公示", after_it)]


def _versions(versions: Sequence[Row], odd: dict[tuple[int, str], int]) -> Table:
    rows = []
    for each in reversed(versions):
        left = "，".join(f"{LEFT_OUT[code]}{number}人" for code, number in each.left_out.items()) or "没有"
        strange = "；".join(f"{ODD[kind]}{number}人" for (no, kind), number in odd.items() if no == each.no) or "没有"
        drawn = f"{_person(each.drawn_by)} {dated(each.drawn_at)}"
        rows.append(
            (f"第{each.no}版", f"{each.people}人（登记{each.registered}人）", left, strange, drawn, each.digest.hex())
        )
    return Table("出过的版本", ("第几版", "人数", "没有列的", "可疑的", "谁出的", "摘要"), rows)


def _steps(steps: Sequence[Any]) -> Table:
    rows = [
        (dated(each["at"]), DONE[each["what"]], f"第{each['no']}版", _person(each["by"]), each["words"] or "")
        for each in steps
    ]
    return Table("谁办了哪一步", ("什么时候", "哪一步", "第几版", "谁", "写的话"), rows)


def _hung(postings: Sequence[Row]) -> Table:
    rows = [
        (
            f"第{each.no}版",
            dated(each.posted_at),
            f"{dated(each.starts_at)}到{hangs_until_in_year(each.ends_at)}",
            grouped(each.code),
        )
        for each in postings
    ]
    return Table("公示", ("第几版", "张贴", "公示", "公示码"), rows, "没有张贴过。")


def _objections(parts: Parts, who: Officer, roster: int, insurance: str) -> Table:
    reads = who.role is Role.AUDITOR or who.role == ("hrss" if insurance == Insurance.RES_PENSION else "medical")
    rows = [
        (
            dated(each.row.at),
            AUTHORS[each.row.by.partition(":")[0]],
            each.words if reads else "（原话只有答复的单位和审计看）",
            full_day(each.row.due_on),
            each.stands + (f"：{each.answer}" if each.answer and reads else ""),
            f"{_person(each.row.answered_by)} {dated(each.row.answered_at)}" if each.row.answered_at else "",
            dated(each.row.told_at) if each.row.told_at else "",
        )
        for each in reversed(objections.of_roster(parts, roster))
    ]
    return Table("异议", ("什么时候", "谁提的", "说什么", "哪天以前答复", "怎么定的", "谁答复", "告诉他了"), rows)


def _closing_versions(closing: closings.Whole) -> Table:
    rows = [
        (
            f"第{each.no}版",
            f"{each.done}人",
            f"{each.owing}人",
            f"{each.excluded}人",
            f"清册第{each.roster_no}版" if each.roster_no else "登记（没有生效的清册）",
            f"{_person(each.drawn_by)} {dated(each.drawn_at)}",
            each.digest.hex(),
        )
        for each in reversed(closing.versions)
    ]
    head = ("第几版", *after.COLUMNS, "不列", "按哪里的名单", "谁出的", "摘要")
    return Table("期满后的参保缴费公示：出过的版本", head, rows)


def _closing_steps(closing: closings.Whole) -> Table:
    rows = [
        (dated(each.at), after.DONE[each.what], after.PLACES.get(each.place, ""), f"第{each.no}版", _person(each.by))
        for each in closing.steps
    ]
    return Table("期满后的参保缴费公示：谁办了哪一步", ("什么时候", "哪一步", "哪里", "第几版", "谁"), rows)


def _photos(parts: Parts, roster: int, postings: Sequence[Row]) -> list[Photo]:
    return [
        Photo(f"第{each.no}版张贴的照片，{dated(each.posted_at)}", post.photo_of(parts, roster, each.no))
        for each in postings
        if each.pictured
    ]


def _closing_photos(parts: Parts, closing: closings.Whole) -> list[Photo]:
    return [
        Photo(
            f"参保缴费公示第{each.no}版张贴的照片，{dated(each.at)}",
            put_up.photo_of(parts, closing.line.row.id, each.id),
        )
        for each in closing.steps
        if each.photo
    ]


def _closing_lists(parts: Parts, closing: closings.Whole | None) -> list[Names]:
    if closing is None or closing.line.row.agreed_no is None:
        return []
    row = closing.line.row
    columns = zip(after.COLUMNS, closings.columns_of(parts, row), strict=True)
    return [Names(f"期满后的参保缴费公示第{row.agreed_no}版：{title}", names) for title, names in columns]


def _person(by: str) -> str:
    kind, _, name = by.partition(":")
    return {"staff": name, "agent": f"代办员 {name}", "rule": "系统"}.get(kind, name)


_POSTINGS = text(
    "select p.no, p.posted_at, p.starts_at, p.ends_at, p.photo is not null as pictured, v.code from roster_posting p"
    " join roster_version v on (v.roster_id, v.no) = (p.roster_id, p.no) where p.roster_id = :id order by p.no"
)
_ODD = text("select no, kind, count(*) as number from roster_odd where roster_id = :id group by 1, 2 order by 1, 2")
_CHANGES = text(
    "select c.no, c.masked, c.what, c.why from roster_change c"
    " join person p on p.id = c.person_id and p.restricted_at is null where c.roster_id = :id"
    " order by c.no, c.what, c.masked"
)
_NAMES = text(
    f"select w.masked from roster_row w where w.roster_id = :id and w.no = :no and {SHOWN}"
    ' order by w.masked collate "C"'
)

"""How a department calls its columns and its categories: said once, used for its next file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access.sessions import Officer
from app.flows.parts import Parts
from app.policy.facts import Category
from app.policy.terms import PolicyYear
from app.registry.helped_columns import FIELDS
from app.registry.helped_tables import SpecialLayout
from core.errors import BadInput, NotFound

DISABILITY = "DIS"  # whose grade stands in another column
_LONGEST = 60


class NoSuchDepartment(NotFound):
    """A code that no paying department of the district has."""

    text = "没有这个部门。付代缴费的部门有：{known}。"


class BadLayout(BadInput):
    """A column or a category that we do not have, or a word that is too long."""

    status = 422
    text = "“{word}”不能这样指定，请从列出的里面选。"


@dataclass(frozen=True)
class Layout:
    """Header word → our column; word in a cell → category codes joined by | ('' is a cell that says nothing)."""

    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def known_department(parts: Parts, code: str) -> str:
    """Its name. NoSuchDepartment."""
    if code not in parts.departments:
        raise NoSuchDepartment(code, known="、".join(f"{name}（{key}）" for key, name in parts.departments.items()))
    return parts.departments[code]


def layout_of(connection: Connection, department: str) -> Layout:
    """As it was said last; empty where nobody has."""
    row = connection.execute(
        select(SpecialLayout.__table__).where(SpecialLayout.department == department)
    ).one_or_none()
    return Layout() if row is None else Layout(row.columns, row.words)


def learn_here(parts: Parts, officer: Officer, department: str, more: Layout) -> None:
    """The same by somebody of the department at his page. NoSuchDepartment, BadLayout."""
    known_department(parts, department)
    _refuse_strange(more, parts.rules)
    learned = text(
        "select officer_learns_helped(:session, :department, cast(:columns as jsonb), cast(:words as jsonb), :at, :now)"
    )
    said = {"columns": json.dumps(dict(more.columns)), "words": json.dumps(dict(more.words))}
    asked = {"session": officer.session, "department": department, "at": parts.clocks.wall(), "now": parts.clocks.now()}
    with parts.engine.begin() as connection:
        connection.execute(learned, said | asked)


def learn(parts: Parts, department: str, more: Layout, *, by: str) -> None:
    """What is said now is added to what was said before. NoSuchDepartment, BadLayout."""
    known_department(parts, department)
    _refuse_strange(more, parts.rules)
    with parts.engine.begin() as connection:
        held = layout_of(connection, department)
        values = {
            "columns": {**held.columns, **more.columns},
            "words": {**held.words, **more.words},
            "by": by,
            "at": parts.clocks.now(),
        }
        connection.execute(
            upsert(SpecialLayout)
            .values(department=department, **values)
            .on_conflict_do_update(index_elements=[SpecialLayout.department], set_=values)
        )


def categories(rules: PolicyYear) -> list[str]:
    """The codes that a word may mean."""
    return [DISABILITY, *Category, *rules.groups]


def _refuse_strange(more: Layout, rules: PolicyYear) -> None:
    known = set(categories(rules))
    wrong = [title for title, name in more.columns.items() if name not in FIELDS or not 0 < len(title) <= _LONGEST]
    wrong += [
        word
        for word, codes in more.words.items()
        if len(word) > _LONGEST or not codes or not set(codes.split("|")) <= known
    ]
    if wrong:
        raise BadLayout(wrong[0], word=wrong[0])

"""What the police say of people (R55): the word stands beside the bureaus' own, for neither may undo the other's."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Code(StrEnum):
    """What they say. Only a death is a fact to a quote; all else asks a question where the register says otherwise."""

    DIED = "DIED"
    CANCELLED = "CANCELLED"  # the household register, for whatever reason
    MOVED_OUT = "MOVED_OUT"
    MOVED_IN = "MOVED_IN"
    EXEMPT = "EXEMPT"  # on the list of the old who pay nothing


TITLES: Mapping[str, str] = {
    Code.DIED: "死亡",
    Code.CANCELLED: "户口注销",
    Code.MOVED_OUT: "迁出",
    Code.MOVED_IN: "迁入",
    Code.EXEMPT: "免缴老人",
}
WORDS: Mapping[str, Code] = {
    **dict.fromkeys(("死亡", "死亡注销", "已死亡", "去世", "已去世", "死亡销户", "死亡人员", "亡故"), Code.DIED),
    **dict.fromkeys(("户口注销", "注销", "注销户口", "户籍注销", "销户"), Code.CANCELLED),
    **dict.fromkeys(("迁出", "户口迁出", "迁往外地", "迁往市外", "迁往区外"), Code.MOVED_OUT),
    **dict.fromkeys(("迁入", "户口迁入", "外地迁入", "市外迁入", "区外迁入"), Code.MOVED_IN),
    **dict.fromkeys(("免缴老人", "免缴", "免交老人", "免交", "免费老人", "高龄免缴"), Code.EXEMPT),
}
_CODES = ", ".join(f"'{code}'" for code in Code)


class PoliceWord(Table):
    """The latest that the police's files said of a person, of each kind. `stands`: it counts, or an office found that
    it does not."""

    __tablename__ = "police_word"
    __table_args__ = (
        CheckConstraint(f"code in ({_CODES})", name="code"),
        CheckConstraint("stands in ('counts', 'overruled')", name="stands"),
        Index("ix__police_word__batch_id", "batch_id"),
        Index("ix__police_word__dead", "person_id", postgresql_where=text("code = 'DIED' and stands = 'counts'")),
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date | None] = mapped_column(Date)  # on which it happened
    stands: Mapped[str] = mapped_column(Text, server_default="counts")
    batch_id: Mapped[int] = mapped_column(  # the file that said it, counted at its end
        ForeignKey("import_batch.id", initially="DEFERRED", deferrable=True)
    )
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock

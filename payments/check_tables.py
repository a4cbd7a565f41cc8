"""What the last look at each truth found, for the figures that every web process shows."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class BookCheck(Table):
    """One truth and its last look."""

    __tablename__ = "book_check"
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    sample: Mapped[list[str]] = mapped_column(ARRAY(Text))
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock

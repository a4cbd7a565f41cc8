"""The same invented people in every district, one of each kind, for demonstrations and for who wants to try."""

from dataclasses import dataclass
from datetime import date

from app.registry.identity import check_digit
from core.redact import mask_name

AREA = "370499"  # assigned to nobody: no number made here can be a living person's


@dataclass(frozen=True, slots=True)
class Part:
    """One of them: of which household of the first village, and what makes him his kind. `words` say it."""

    kind: str
    words: str
    household: int
    relation: str
    name: str
    born: date
    sex: int
    categories: tuple[str, ...] = ()
    migrant: bool = False
    employee: bool = False
    family: str = "无"
    spouse_born: date | None = None


_WIFE_BORN = date(1970, 5, 1)
PARTS = (
    Part("ordinary", "普通成年人，38岁", 1, "户主", "周示禾", date(1983, 5, 12), 2),
    Part("aged_65", "65岁，已领养老金，医保减半", 1, "父亲", "周示松", date(1956, 6, 1), 1),
    Part("aged_72", "72岁，什么都不用交", 1, "祖父", "周示柏", date(1949, 3, 8), 1),
    Part("disabled", "一级残疾，财政代缴", 1, "兄弟", "周示宁", date(1980, 10, 20), 1, ("DIS1",)),
    Part("entitled", "优抚对象", 1, "兄弟", "周示安", date(1975, 1, 15), 1, ("YOUFU",)),
    Part("migrant", "在外地打工，先问在那边交过没有", 2, "户主", "吴示远", date(1988, 4, 2), 1, migrant=True),
    Part("employee", "单位参加了职工保险，不用再交", 2, "配偶", "郑示芷", date(1989, 8, 21), 2, employee=True),
    Part("newborn", "2021年9月出生的孩子，由父母交", 2, "子女", "吴示苇", date(2021, 9, 16), 2),
    Part(
        *("bonus_husband", "独生子女家庭，养老再补300元", 3, "户主", "冯示川", date(1966, 11, 3), 1),
        family="独生子女",
        spouse_born=_WIFE_BORN,
    ),
    Part("bonus_wife", "独生子女家庭的妻子，51岁", 3, "配偶", "冯示荷", _WIFE_BORN, 2, family="独生子女"),
    Part("waived", "特困人员，两险都由财政代缴", 4, "户主", "沈示怀", date(1966, 2, 14), 1, ("TEKUN",)),
)


@dataclass(frozen=True, slots=True)
class Showcase:
    """A person of a known kind, for demonstrations."""

    name: str
    id_number: str
    phone: str  # as registered; '' for a child
    words: str
    household: int

    @property
    def masked(self) -> str:
        """The name as others may read it."""
        return mask_name(self.name)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody of a demonstration, by kind. Who is 65 or 72 draws his pension."""

    ordinary: Showcase
    aged_65: Showcase
    aged_72: Showcase
    disabled: Showcase
    entitled: Showcase
    migrant: Showcase
    employee: Showcase
    newborn: Showcase
    bonus_husband: Showcase
    bonus_wife: Showcase
    waived: Showcase


def showcase() -> Cast:
    """The same people in every district."""
    return Cast(
        **{
            part.kind: Showcase(part.name, a_number(part.born, 1, part.sex), phone_of(part), part.words, part.household)
            for part in PARTS
        }
    )


def phone_of(part: Part) -> str:
    """Everybody has a phone of his own but the child."""
    return "" if part.kind == "newborn" else f"139000000{PARTS.index(part) + 1:02d}"


def a_number(born: date, place: int, sex: int) -> str:
    """The number of the place-th (from 1) person of a sex born on a day; a man's order is odd."""
    assert place < 500, "more people of one day and sex than numbers"
    head = f"{AREA}{born:%Y%m%d}{2 * place - (sex == 1):03d}"
    return head + check_digit(head)

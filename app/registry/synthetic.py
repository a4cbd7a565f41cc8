"""Invents a district: the seven towns of the notice, villages, households and people who do not exist. The same seed
gives the same district. Pure; ages are reckoned on 2021-12-31, nobody is born after 2021-09-30."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from app.registry.cast import PARTS, Part, a_number, phone_of
from app.registry.columns import FIELDS, TITLES

TOWNS = {
    "370404001": "坛山街道",
    "370404002": "吴林街道",
    "370404100": "古邵镇",
    "370404101": "阴平镇",
    "370404102": "底阁镇",
    "370404103": "榴园镇",
    "370404104": "峨山镇",
}
LAST_DAY = date(2021, 12, 31)
_LAST_BIRTH = date(2021, 9, 30)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "慕容", "令狐", "夏侯")
_GIVEN = (
    "禾泉溪岚朗沐舟苇松柏桐槿荷芷若宁安平和乐康健明晖晨曦云霁雪霏远帆岳峰川泽润海石玉瑶琪琳思念怀德仁义礼智信勤俭朴实"
)
_RARE = "䶮堃喆翀犇骉燚淼垚昉旻祎"
_DOTTED = ("阿依古丽·示例", "买买提·示例", "迪丽娜·示例", "古丽米热·示例")
_FIRST, _SECOND = "柳青明晴禾松竹望杏枫桐荷兰梅槐榆桑榴枣麦", "泉溪岭桥塘湾坪园林丰鹤月田石"
_CATEGORY_PER_10_000 = (
    *(("DIS1", 40), ("DIS2", 60), ("DIS3", 60), ("DIS4", 70), ("WUBAO", 20), ("TEKUN", 30)),
    *(("DIBAO", 250), ("YOUFU", 60), ("POVERTY", 180), ("ILLNESS", 20)),
)
_CATEGORY_WORDS = {"DIS1": "一级残疾", "DIBAO": "低保", "YOUFU": "优抚"}  # the others are written as codes


@dataclass(frozen=True, slots=True)
class Village:
    """An invented village."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Invented:
    """A person who does not exist. `insurances` are those whose bureau has him."""

    serial: int
    village: str
    household: str
    relation: str
    name: str
    id_number: str
    birth: date
    sex: int
    residence: str
    phone: str
    categories: tuple[str, ...]
    student: bool
    migrant: bool
    employee: bool
    elsewhere: str
    tier: str
    insurances: tuple[str, ...]
    family: str = "无"
    spouse_born: date | None = None
    parent: str = ""

    def row(self, insurance: str) -> dict[str, str]:
        """This person's row of a bureau's file, by field."""
        pension = insurance == "RES_PENSION"
        return dict.fromkeys(FIELDS, "") | {
            "source_person_no": f"{'P' if pension else 'M'}{self.serial:011d}",
            "id_type": "01",
            "id_number": self.id_number,
            "name": self.name,
            "sex": "男" if self.sex == 1 else "女",
            "birth_date": self.birth.isoformat(),
            "residence": self.residence,
            "alive_status": "1",
            "insurance": "居民养老" if pension else "居民医保",
            "insured_status": "正常",
            "pay_from": "202201",
            "pay_to": "202212",
            "categories": "|".join(_CATEGORY_WORDS.get(code, code) for code in self.categories),
            "last_tier": self.tier if pension else "",
            "village_code": self.village,
            "household_no": self.household,
            "relation_to_head": self.relation,
            "mobile": self.phone,
            "change_type": "ADD",
            "student": "是" if self.student else "否",
            "is_migrant": "是" if self.migrant else "否",
            "employee_insured": "是" if self.employee else "否",
            "insured_elsewhere": self.elsewhere,
            "family_type": self.family,
            "spouse_birth": self.spouse_born.isoformat() if self.spouse_born else "",
            "residence_permit_valid_to": "" if self.residence == "本区户籍" else "2024-12-31",
            "parent_id_number": self.parent if self.residence == "随迁子女" else "",
        }


MOST_VILLAGES = 280
BOTH = ("RES_PENSION", "RES_MEDICAL")


def villages(count: int) -> list[Village]:
    """So many villages (at most MOST_VILLAGES), town by town in turn. The first one is the showcase's."""
    assert 1 <= count <= MOST_VILLAGES
    codes = list(TOWNS)
    names = [first + second for second in _SECOND for first in _FIRST]
    return [Village(f"{codes[(place + 5) % 7]}{901 + place // 7}", f"{names[place]}村") for place in range(count)]


def villages_for(people: int) -> list[Village]:
    """As many villages as a district of that size has: about 1,400 people each, never fewer than seven."""
    return villages(min(MOST_VILLAGES, max(7, people // 1400)))


def people(count: int, *, seed: int = 2021) -> Iterator[Invented]:
    """So many people, household by household, village by village; the showcase first."""
    return _Maker(seed).people(count, villages_for(count))


class _Maker:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 nothing here is a secret
        self._order: dict[tuple[date, int], int] = {}
        self._serial = 0

    def people(self, count: int, places: list[Village]) -> Iterator[Invented]:
        for at, place in enumerate(places):
            left = count * (at + 1) // len(places) - count * at // len(places)
            household = 1
            if at == 0:
                yield from self._showcase(place.code, left)
                left, household = left - len(PARTS), PARTS[-1].household + 1
            while left > 0:
                size = min(left, self._random.choices((1, 2, 3, 4, 5, 6), (12, 26, 24, 20, 12, 6))[0])
                yield from self._household(place.code, f"{household:04d}", size)
                left, household = left - size, household + 1

    def _showcase(self, village: str, most: int) -> Iterator[Invented]:
        for part in PARTS[:most]:
            household = f"{part.household:04d}"
            person = self._person(village, household, part.relation, born=part.born, sex=part.sex, name=part.name)
            yield _as_written(person, part)

    def _household(self, village: str, number: str, size: int) -> Iterator[Invented]:
        dice = self._random
        surname = dice.choice(_COMPOUND) if dice.random() < 0.01 else dice.choice(_SURNAMES)
        head = dice.choices((dice.randint(26, 45), dice.randint(46, 62), dice.randint(63, 92)), (40, 38, 22))[0]
        ages = [("户主", head), ("配偶", max(23, head + dice.randint(-4, 4)))]
        ages += [("子女", max(0, head - dice.randint(22, 34))) for _ in range(2)]
        ages += [("父母", min(99, head + dice.randint(21, 30))) for _ in range(2)]
        first = ""
        for place, (relation, age) in enumerate(ages[:size]):
            sex = (1 if dice.random() < 0.8 else 2) if place == 0 else dice.choice((1, 2))
            born = LAST_DAY - timedelta(days=age * 365 + age // 4 + dice.randrange(1, 365))
            if born > _LAST_BIRTH:
                born = _LAST_BIRTH - timedelta(days=dice.randrange(1000))
            own = surname if relation in ("户主", "子女") else dice.choice(_SURNAMES)
            person = self._person(village, number, relation, born=born, sex=sex, name=self._name(own))
            first = person.id_number if place == 0 else first
            yield replace(person, parent=first)

    def _person(self, village: str, household: str, relation: str, *, born: date, sex: int, name: str) -> Invented:
        dice, age = self._random, age_on(born)
        self._serial += 1
        student = 6 <= age <= 17 or (age <= 22 and dice.random() < 0.5 and age >= 6)
        employee = 22 <= age < 60 and dice.random() < 0.06
        pension = age >= 16 and not student
        return Invented(
            serial=self._serial,
            village=village,
            household=household,
            relation=relation,
            name=name,
            id_number=self._number(born, sex),
            birth=born,
            sex=sex,
            residence=dice.choices(("本区户籍", "居住证", "随迁子女" if age < 18 else "居住证"), (970, 20, 10))[0],
            phone=f"1390000{dice.randrange(10_000):04d}" if age >= 16 and dice.random() < 0.6 else "",
            categories=tuple(code for code, rate in _CATEGORY_PER_10_000 if dice.randrange(10_000) < rate)
            + (("ORPHAN",) if age < 18 and dice.randrange(10_000) < 40 else ()),
            student=student,
            migrant=18 <= age < 60 and dice.random() < 0.22,
            employee=employee,
            elsewhere=self._elsewhere(age),
            tier=dice.choices(("100", "300", "500", "1000", "3000", "5000"), (5, 80, 8, 4, 2, 1))[0] if pension else "",
            insurances=BOTH if pension else BOTH[1:],
        )

    def _elsewhere(self, age: int) -> str:
        if age >= 60:
            return "已领养老金"
        return self._random.choices(("", "市外医保", "市内他区医保"), (975, 18, 7))[0]

    def _name(self, surname: str) -> str:
        dice = self._random
        if dice.random() < 0.003:
            return dice.choice(_DOTTED)
        given = dice.choice(_RARE) if dice.random() < 0.01 else dice.choice(_GIVEN)
        return surname + given + (dice.choice(_GIVEN) if dice.random() < 0.8 else "")

    def _number(self, born: date, sex: int) -> str:
        place = self._order[born, sex] = self._order.get((born, sex), 0) + 1
        return a_number(born, place, sex)


def age_on(born: date, day: date = LAST_DAY) -> int:
    """Full years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def header() -> list[str]:
    """The Chinese header of the files we write: every column."""
    return [TITLES[field] for field in FIELDS]


def _as_written(person: Invented, part: Part) -> Invented:
    age = age_on(part.born)
    return replace(
        person,
        residence="本区户籍",
        phone=phone_of(part),
        categories=part.categories,
        student=False,
        migrant=part.migrant,
        employee=part.employee,
        elsewhere="已领养老金" if age >= 60 else "",
        tier="300" if age >= 16 else "",
        insurances=BOTH if age >= 16 else BOTH[1:],
        family=part.family,
        spouse_born=part.spouse_born,
    )

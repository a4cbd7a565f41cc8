"""Messages that we begin and how any message goes out: one a household and week, in daylight, within a budget, by the
next way when one stays silent, and at the door when there is none."""

from datetime import datetime, timedelta

import pytest

from app.flows.offices.audit import alarms
from app.flows.pay.start import Want
from app.flows.tell.at_the_door import NoSuchVisit, visited, visits
from app.flows.tell.remind import SeasonOver, remind
from app.flows.tell.send import tell_due
from app.policy.facts import Insurance
from core.clock import BEIJING, utc_now
from notifications import subscriptions
from notifications.channels import ChannelSilent, NotReachable
from notifications.rules import not_before
from notifications.send import OVERTAKEN
from tests.app.web.conftest import district, far_folder, running
from tests.builders import NEW_YEAR, a_person, an_id_number, in_a_files_name
from tests.refunding import pay, rows

__all__ = ["district", "far_folder", "running"]
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


class Way:
    """A way to tell, kept in hand: an outsider that answers as it is told."""

    def __init__(self, name, address, *answers):
        self.name, self.address, self.answers, self.told = name, address, list(answers), []
        self.templates = {"paid": "t", "certified": "t"}

    def deliver(self, to, words):
        answer = self.answers.pop(0) if self.answers else "reference"
        if isinstance(answer, Exception):
            raise answer
        self.told.append((to, words.text))
        return answer


@pytest.fixture
def ways(running, monkeypatch):
    """SMS only, in hand."""
    held = {"sms": Way("sms", "phone")}
    object.__setattr__(running.parts, "channels", held)
    return held


def send(running, *, after=timedelta(0)):
    """What is due, as if `after` had passed."""
    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql("update notice set next_try_at = next_try_at - %s", (after,))
    tell_due(running.parts)


def notices(running):
    return rows(running, "select * from notice order by cause")


def test_a_household_hears_once_a_week_what_is_left(running, district, ways):
    told = remind(running.parts, [district.village])
    assert (told.remind, told.waived, told.again) == (1, 0, 0)

    again = remind(running.parts, [district.village])
    assert (again.remind, again.again) == (0, 1)
    send(running)

    [(phone, words)] = ways["sms"].told
    assert phone == "13800000000" and "榴园镇示例村的张*例" in words and "12月31日前" in words
    assert "王*奶" not in words, "who owes nothing is not urged"
    assert not any(said in words for said in ("320", "元", "低保", "3704", "http"))


def test_who_pays_nothing_is_told_just_that(running, district, ways):
    with running.office.engine.begin() as connection:
        in_a_files_name(connection)
        gone = (district.adult.id, district.poor.id)
        connection.exec_driver_sql("update person set alive = false where id in (%s, %s)", gone)

    assert remind(running.parts, [district.village]).waived == 1
    send(running)

    assert "不用您交钱" in ways["sms"].told[0][1] and "王*奶" in ways["sms"].told[0][1]


def test_counting_writes_nothing(running, district):
    assert remind(running.parts, [district.village, district.other_village], dry=True).remind == 2
    assert notices(running) == []


def test_nobody_is_urged_after_the_last_day(running, district):
    running.turn(NEW_YEAR)
    with pytest.raises(SeasonOver):
        remind(running.parts, [district.village])


@pytest.mark.parametrize(
    ("hour", "kind", "until"),
    [
        (7, "remind", (5, 8)),
        (8, "remind", None),
        (20, "remind", None),
        (21, "remind", (6, 8)),
        (23, "refunded", (6, 8)),
        (2, "paid", None),
        (2, "surplus", None),
    ],
)
def test_quiet_hours_are_kept_but_for_what_one_waits_for(hour, kind, until):
    found = not_before(kind, datetime(2021, 11, 5, hour, tzinfo=BEIJING))

    assert (found and (found.day, found.hour)) == until


def test_at_night_it_waits_for_the_morning(running, district, ways):
    running.turn(datetime(2021, 11, 5, 22, tzinfo=BEIJING))
    remind(running.parts, [district.village])

    send(running)

    [notice] = notices(running)
    assert (notice.rank, notice.attempts, ways["sms"].told) == (1, 0, [])
    assert timedelta(hours=9, minutes=58) < notice.next_try_at - utc_now() < timedelta(hours=10, minutes=2)
    running.turn(datetime(2021, 11, 6, 8, 1, tzinfo=BEIJING))
    send(running, after=timedelta(hours=10, minutes=1))
    assert len(ways["sms"].told) == 1


def paid_meanwhile(running, *people):
    """Both premiums of these, by one phone."""
    for place, person in enumerate(people):
        pay(running, Want(person, MEDICAL), Want(person, PENSION, 30000), key=f"meanwhile-{place}")


def test_who_pays_at_night_is_not_reminded_in_the_morning(running, district, ways):
    """B14: the reminder went out at 08:00 all the same; the neighbour, who paid nothing, hears his."""
    running.turn(datetime(2021, 11, 5, 22, tzinfo=BEIJING))
    remind(running.parts, [district.village, district.other_village])
    send(running)
    paid_meanwhile(running, district.adult.id)
    running.turn(datetime(2021, 11, 6, 8, 1, tzinfo=BEIJING))

    send(running, after=timedelta(hours=10, minutes=1))

    reminders = {notice.household_id: notice for notice in notices(running) if notice.kind == "remind"}
    assert (reminders[district.household].rank, reminders[district.household].last_error) == (4, OVERTAKEN)
    [(_, words)] = [told for told in ways["sms"].told if "还没有办" in told[1]]
    assert "赵*居" in words and "张*例" not in words


def test_of_two_in_a_house_only_who_is_left_is_named(running, district, ways):
    """B14"""
    a_sister = {"name": "张示妹", "id_number": an_id_number(sequence=8), "household": district.household}
    running.write(lambda connection: a_person(connection, **a_sister, phone=None))
    remind(running.parts, [district.village])
    assert notices(running)[0].fields["names"] == "张*例、张*妹"
    paid_meanwhile(running, district.adult.id)

    send(running)

    [told] = [words for _, words in ways["sms"].told if "还没有办" in words]
    assert "张*妹" in told and "张*例" not in told
    assert [notice.fields["names"] for notice in notices(running) if notice.kind == "remind"] == ["张*妹"]


def test_nobody_is_visited_for_what_is_done(running, district, ways):
    """B14, B27: what was done or told at the door is no message that failed; the neighbour's is still to tell."""
    with running.office.engine.begin() as connection:
        in_a_files_name(connection)
        connection.exec_driver_sql("update person set phone = null")
    remind(running.parts, [district.village, district.other_village])
    send(running)
    assert "张*例" in visits(running.parts, district.village)[0].words
    assert undelivered(running) == 2

    paid_meanwhile(running, district.adult.id)

    assert not [visit for visit in visits(running.parts, district.village) if "还没有办" in visit.words]
    [neighbours] = visits(running.parts, district.other_village)
    named = {"household_id": neighbours.household_id, "cause": neighbours.cause}
    visited(running.parts, [district.other_village], **named, by="agent:wang")
    assert undelivered(running) == 1


def undelivered(running):
    return next(alarm.count for alarm in alarms(running.parts) if alarm.what.startswith("没有送到的通知"))


def test_a_notice_put_off_past_the_last_day_is_not_told(running, district, ways):
    """B14: 请在12月31日前办, on the first of January."""
    running.turn(datetime(2021, 12, 31, 22, tzinfo=BEIJING))
    remind(running.parts, [district.village])
    send(running)
    running.turn(NEW_YEAR + timedelta(hours=9))

    send(running, after=timedelta(hours=11))

    assert [notice.last_error for notice in notices(running)] == [OVERTAKEN] and ways["sms"].told == []


def test_a_budget_that_is_spent_is_no_failure(running, district, ways):
    """B27"""
    for day in (5, 8, 15):
        running.turn(datetime(2021, 11, day, 12, tzinfo=BEIJING))
        remind(running.parts, [district.village])
        send(running)

    assert undelivered(running) == 0


def test_two_a_week_are_enough(running, district, ways):
    for day in (5, 8, 15):
        running.turn(datetime(2021, 11, day, 12, tzinfo=BEIJING))
        remind(running.parts, [district.village])
        send(running)

    assert [notice.last_error for notice in notices(running)] == [None, None, "enough was sent this week"]
    assert len(ways["sms"].told) == 2
    assert visits(running.parts, district.village) == [], "nobody is visited for it either"


def test_a_provider_that_stays_silent_is_left_for_the_next(running, district, ways):
    ways["sms"].answers = [ChannelSilent("status 500")] * 3
    ways["sms2"] = Way("sms2", "phone")
    remind(running.parts, [district.village])

    for _ in range(4):
        send(running, after=timedelta(hours=3))

    [notice] = notices(running)
    assert (notice.channel, notice.silences, notice.attempts) == ("sms2", {"sms": 3}, 4)
    assert ways["sms"].told == [] and len(ways["sms2"].told) == 1


def test_whom_no_message_reaches_the_agent_visits(running, district, ways):
    with running.office.engine.begin() as connection:
        in_a_files_name(connection)
        connection.exec_driver_sql("update person set phone = null")
    remind(running.parts, [district.village, district.other_village])
    send(running)

    [visit] = visits(running.parts, district.village)
    assert visit.household_number == "0001" and visit.words.startswith("榴园镇示例村的张*例")
    named = {"household_id": visit.household_id, "cause": visit.cause}
    with pytest.raises(NoSuchVisit):
        visited(running.parts, [district.other_village], **named, by="agent:x")
    visited(running.parts, [district.village], **named, by="agent:wang")
    with pytest.raises(NoSuchVisit):
        visited(running.parts, [district.village], **named, by="agent:wang")

    assert visits(running.parts, district.village) == []
    assert [n.visited_by for n in notices(running) if n.visited_by] == ["agent:wang"]


OPENID = "o" * 28


def write_paid(running, cause="payment:X1:paid"):
    subject = cause.rsplit(":", 1)[0]
    vault = running.parts.vault
    fields = '{"village":"v","names":"张*","items":"i","amount":"1","check_code":"C"}'
    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "select enqueue_notice(1, %s, 'paid', %s::jsonb, %s, %s, now())",
            (
                *(cause, fields, vault.seal(OPENID, bound_to=f"notice.openid:{subject}")),
                vault.seal("13800000000", bound_to=f"notice.phone:{subject}"),
            ),
        )


def left(running):
    with running.parts.engine.begin() as connection:
        return dict(subscriptions.left(connection, running.parts.vault, OPENID))


def agree(running, count=1):
    with running.parts.engine.begin() as connection:
        subscriptions.agree(connection, running.parts.vault, OPENID, ["paid"] * count)


def test_one_consent_is_one_message(running, district, ways):
    object.__setattr__(running.parts, "channels", {"wechat": Way("wechat", "openid")} | ways)
    agree(running)
    write_paid(running)
    write_paid(running, "payment:X2:paid")

    send(running)

    assert sorted(notice.channel for notice in notices(running)) == ["sms", "wechat"]
    assert left(running) == {"paid": 0}


def test_a_silent_try_has_taken_its_consent_and_takes_no_other(running, district, ways):
    object.__setattr__(running.parts, "channels", {"wechat": Way("wechat", "openid", ChannelSilent("-1"))} | ways)
    agree(running, 2)
    write_paid(running)

    send(running)
    send(running, after=timedelta(hours=1))

    assert notices(running)[0].channel == "wechat" and left(running) == {"paid": 1}


@pytest.mark.parametrize(("refusal", "after"), [("43101", 0), ("47003", 2)])
def test_what_was_not_used_comes_back_unless_wechat_knows_better(running, district, ways, refusal, after):
    object.__setattr__(running.parts, "channels", {"wechat": Way("wechat", "openid", NotReachable(refusal))} | ways)
    agree(running, 2)
    write_paid(running)

    send(running)

    assert notices(running)[0].channel == "sms" and left(running) == {"paid": after}


def test_a_template_that_was_sent_is_known_again(running, district, ways):
    remind(running.parts, [district.village])
    send(running)

    assert len(notices(running)[0].version) == 8

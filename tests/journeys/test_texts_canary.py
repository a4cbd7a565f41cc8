"""A phone that is told by text messages leaves its place nowhere: in no log at DEBUG, in no alarm, in no column."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.flows.enter.session import open_session, visitor_of
from app.flows.enter.sign_in import TextNotSent, ask_code
from app.flows.tell.ask_back import ask_back
from app.flows.tell.send import tell_due
from tests.app.web.conftest import district, far_folder, running
from tests.journeys.test_canaries import PHONE, forms, said
from tests.notifications.texts import approve, connected

__all__ = ["district", "far_folder", "running", "said"]
FAULTS = [{}, {"kind": "html"}, {"kind": "truncated"}, {"kind": "error", "code": "isv.OUT_OF_SERVICE"}]


@pytest.mark.parametrize("provider", ["aliyun", "tencent"])
def test_a_marked_phone_is_in_no_log_no_alarm_and_no_column(running, district, said, provider):
    approve(running.outside, provider)
    alarms: list[object] = []
    parts = replace(running.parts, alert=lambda *what, **words: alarms.append((what, words)))
    parts = replace(parts, channels={"sms": connected(running.outside, provider, alert=parts.alert)})
    visitor = visitor_of(parts, open_session(parts, network="here").token)
    with parts.engine.begin() as connection:
        for number in range(len(FAULTS)):
            sealed = parts.vault.seal(PHONE, bound_to=f"notice.phone:payment:K{number}")
            connection.execute(
                text("select enqueue_notice(:h, :cause, 'moved', '{}', null, :phone, now())"),
                {"h": district.household, "cause": f"payment:K{number}:paid", "phone": sealed},
            )

    for fault in FAULTS:
        if fault:
            running.outside.fault(**fault, on="sms", gateway=provider)
        tell_due(parts, most=1)
    with parts.engine.begin() as connection:
        connection.execute(text("update notice set ask_at = now() where ask_at is not null"))
    ask_back(parts)
    running.outside.fault("html", on="sms", gateway=provider)
    with pytest.raises(TextNotSent) as refused:
        ask_code(parts, visitor, phone=PHONE, network="here")

    with parts.engine.connect() as connection:
        kept = repr(connection.execute(text("select row_to_json(n)::text from notice n")).all())
    everything = said.getvalue() + repr(alarms) + kept + str(refused.value) + repr(refused.value.__cause__)
    assert said.getvalue() and [form for form in forms(PHONE) if form in everything] == []
    assert running.outside.keys.sms_key not in everything

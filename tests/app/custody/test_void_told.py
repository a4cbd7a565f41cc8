"""Who paid in cash and has a phone hears what became of his receipt, one message for each thing that happened."""

from app.flows.custody import void
from app.flows.tell.send import tell
from app.flows.tell.words import told
from core.redact import mask_phone
from notifications.send import render
from tests.app.custody.test_take import FIRST
from tests.refunding import rows

PHONE = "13800000000"  # of everybody that tests/builders.py makes


def test_a_payer_hears_of_a_torn_receipt_and_of_a_wrong_one_and_the_neighbour_of_neither(running, village):
    payer, neighbour, sibling = village.others
    village.take(payer)
    village.take(neighbour, key="the-neighbours")
    assert void.void(running.parts, FIRST, "torn", by=village.agent) == [FIRST + 2]
    assert void.void(running.parts, FIRST + 2, "wrong", by=village.agent) == []

    house = "select * from notice where household_id = (select household_id from person where id = {}) order by cause"
    mine, others = rows(running, house.format(payer.id)), rows(running, house.format(neighbour.id))
    assert [(row.cause, row.kind, row.fields["serial"], row.fields.get("voided")) for row in mine] == [
        (f"cash:{FIRST}:taken", "cash", "00000101", None),
        (f"cash:{FIRST + 2}:taken", "cash_anew", "00000103", "00000101"),
        (f"cash:{FIRST + 2}:voided", "cash_voided", "00000103", None),
    ]
    assert [(row.cause, row.kind) for row in others] == [(f"cash:{FIRST + 1}:taken", "cash")]
    assert rows(running, house.format(sibling.id)) == []
    anew, gone = (render(row.kind, row.fields) for row in mine[1:])
    assert "现金320元的收据00000101作废，换成00000103，不用再交" in anew
    assert "现金320元的收据00000103已作废，这一笔不算交了" in gone and "张*例" in gone

    seen = [told(row, running.parts.vault) for row in (*mine, *others)]
    assert {row.to for row in seen} == {mask_phone(PHONE)}, "its address can be read by who sends it"
    assert [row.what for row in seen[1:3]] == ["现金收据换了一张", "现金收据作废了"]
    assert tell(running.parts, [(row.household_id, row.cause) for row in (*mine, *others)]) == 4
    assert {(row.rank, row.last_error) for row in rows(running, "select rank, last_error from notice")} == {(2, None)}

"""Each truth of the book, broken past the guards by somebody who may do everything, is found by its number."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from config.postgres import Server
from migrations.guards import missing_guards
from payments.ledger.seal import Closing, seal
from payments.taking.settle import collect
from payments.truths.invariants import INVARIANTS, look, pieces
from tests.builders import NOON, a_bill, a_message, a_paid_word, a_person, a_started_payment
from tests.conftest import DATABASE, emptied

A_REFUND = (
    "insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why,"
    " reason, sent_as, applied_by, applied_at, decided_by, decided_at, state, next_query_at)"
    " select household_id, 'YT' || number, 'receipt:wechat:' || reference, gateway, number, reference, now(), amount,"
    " amount, 'twice', 'x', 'YT' || number, 'account:1', now(), 'staff:li', now(), 'approved', now() from payment"
    " where household_id = 21"
)
ITS_BILL = (
    "insert into refund_bill (household_id, number, bill_id) select household_id, 'YT' || number, bill_id"
    " from payment_bill where household_id = 21"
)
A_COMPLAINT = (
    "insert into complaint (gateway, number, payment, household_id, stage, their_word, told, came_at, answer_by,"
    " end_by, seen_at) select 'wechat', '1', number, household_id, 'open', 'PENDING', '', '2021-11-04',"
    " '2021-11-20', '2021-11-30', now() from payment where household_id = 21 limit 1"
)
AN_ERASURE = (
    "insert into erasure (person_id, ground, reason, asked_by, asked_at, agreed_by, agreed_at, went)"
    " select id, 'asked', 'because', 'staff:a', now(), 'staff:b', now(), '{}'"
)
FOUND = (
    "insert into matter (kind, office, person_id, words, by, at, due_on, kept_from) select 'PAID_ELSEWHERE_MEDICAL',"
    " 'medical', min(id), 'x', 'agent:1', now(), '2021-11-12', now() from person;"
    " insert into staff (login, name, role, password_hash) values ('found', 'x', 'medical', 'x');"
    " insert into paid_elsewhere (person_id, levy_year, insurance, code, matter_id, proof, by, at, again_on)"
    " select person_id, 2022, 'RES_MEDICAL', 'medical_outside_zz', id, 'paper', 'staff:found', now(), '2021-12-11'"
    " from matter"
)
POLICE = (
    "insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
    " values ('police', 'police', 'x', 1, 1, 0, 0, 0); insert into police_word (person_id, code, batch_id, at)"
    " select (select min(person_id) from enrolment), 'DIED', max(id), now() from import_batch;"
    " select * from conflicts_looked(null, null, 'import:x', now(), '2021-11-20')"
)
A_NEWBORN = (  # registered under its certificate
    "insert into staff (login, name, role, password_hash) values ('born', 'x', 'medical', 'x');"
    " insert into person (household_id, id_type, id_number, id_index, name, birth_date, sex, digest)"
    " select household_id, 'BIRTH_CERT', 'x', 'paper', 'x', '2021-10-01', 1, '' from person order by id limit 1;"
    " insert into birth_certificate (person_id, number, index, at) select id, 'x', 'paper', now() from person"
    "  where id_type = 'BIRTH_CERT'; insert into newborn (parent_id, certificate, index, name, birth_date, sex, state,"
    " requested_by, applied_at, kept_from, decided_by, decided_at, person_id) select (select min(id) from person), 'x',"
    " 'paper', 'x', birth_date, sex, 'registered', 'account:1', now(), now(), 'staff:born', now(), id from person"
    "  where id_type = 'BIRTH_CERT'"
)
A_JOINING = (  # of a child with a row under its number, which ended
    " insert into person (household_id, id_number, id_index, name, birth_date, sex, digest, restricted_at)"
    " select household_id, 'x', 'ended', 'x', birth_date, sex, '', now() from person where id_type = 'BIRTH_CERT';"
    " insert into joining (person_id, other_id, number, index, name, birth_date, sex, state, opened_by, opened_at,"
    " proof, asked_by, asked_at, decided_by, decided_at, kept_id) select p.id, o.id, 'x', 'its', 'x', p.birth_date,"
    " p.sex, 'done', 'x', now(), 'paper', 'a', now(), 'staff:born', now(), p.id from person p, person o"
    "  where p.id_type = 'BIRTH_CERT' and o.id_index = 'ended';"
    " update person set id_type = '01', id_index = 'its' where id_type = 'BIRTH_CERT';"
)
A_BILL = (  # of a department, of one posting of what it owes
    "update posting set account = 'receivable:gov_substitute:civil:RES_MEDICAL'"
    " where household_id = 21 and starts_with(account, 'receivable:');"
    " insert into demand (number, department, levy_year, fund, amount, drawn_by, drawn_at)"
    " select 'DK1', 'civil', 2022, 'RES_MEDICAL', sum(amount), 'x', now() from posting"
    "  where household_id = 21 and starts_with(account, 'receivable:');"
    " insert into demand_line select d.id, 1, p.household_id, p.cause, p.line, p.item, p.amount"
    "  from demand d, posting p"
    "  where p.household_id = 21 and starts_with(p.account, 'receivable:')"
)
A_LIST = (  # taken in and closed; a good row and a failed one
    "insert into special_batch (id, department, levy_year, insurances, file_name, digest, titles, rows, state, by, at,"
    " judged_on, taken_by, taken_at, ended_by, ended_at) overriding system value values"
    " (1, 'civil', 2022, '{RES_MEDICAL}', 'x', '', '{}', 2, 'CLOSED', 'a', now(), now(), 'a', now(), 'a', now());"
    " insert into special_row (batch_id, no, department, place, person_id, insurance, codes, state)"
    " select 1, 1, 'civil', 'x', min(id), 'RES_MEDICAL', '{DIBAO}', 'OK' from person;"
    " insert into special_row (batch_id, no, department, place, insurance, codes, state, code, fed_back_at, ended_at,"
    " ended_by, ended_why) values (1, 2, 'civil', 'x', 'RES_MEDICAL', '{}', 'RESOLVED', 'DUP_ROW', now(), now(),"
    " 'x', 'xx');"
    " insert into helped_category (person_id, levy_year, insurance, code, department, batch_id, no)"
    " select min(id), 2022, 'RES_MEDICAL', 'DIBAO', 'civil', 1, 1 from person"
)
A_PLEDGE = (
    "insert into pledge (id, number, insurance, levy_year, budget) overriding system value"
    " values (7, 'ZZ1', 'RES_MEDICAL', 2022, 1000); insert into pledge_terms (pledge_id, sponsor_id, mode, value,"
    " from_day, until_day, named, village_code, entered_by, entered_at)"
    " values (7, 7, 'ALL', 0, '2021-11-01', '2021-12-31', false, 'x', 'a', now())"
)
A_ROSTER = (  # of nobody, drawn and with the town; triggers are off here
    "insert into village (code, town_code, name) select '370404103998', min(code), 'x' from town;"
    " insert into roster (id, village_code, insurance, levy_year, medical, state, no) overriding system value"
    " values (1, '370404103998', 'RES_MEDICAL', 2022, false, 'ISSUED_TO_TOWN', 1);"
    " insert into roster_row values (1, 1, 7, '张*');"
    " insert into roster_version (roster_id, no, people, registered, left_out, digest, code, drawn_by, drawn_at)"
    " values (1, 1, 1, 3, '{\"DEAD\": 2}', roster_digest(1, 1), 'x', 'staff:a', now());"
    " insert into roster_step (roster_id, no, what, by, at) values (1, 1, 'TAX_REVIEWED', 'staff:b', now()),"
    " (1, 1, 'HRSS_REVIEWED', 'staff:c', now())"
)
IN_FORCE = (  # the same, hung, confirmed by two
    f"{A_ROSTER}; insert into agent (id, login, name, password_hash) overriding system value values (7, 'x', 'x', 'x');"
    " insert into roster_posting values (1, 1, 7, '2021-11-01 10:00+08', '2021-11-02 00:00+08', '2021-11-05 00:00+08');"
    " insert into roster_step (roster_id, no, what, by, at) values"
    " (1, 1, 'TAX_CONFIRMED', 'staff:b', '2021-11-05 09:00+08'), (1, 1, 'EFFECTIVE', 'staff:c', '2021-11-05 10:00+08');"
    " update roster set state = 'EFFECTIVE', effective_no = 1, agent_id = 7"
)
A_CLOSING = (  # after the season, of nobody: drawn, agreed to, hung
    "insert into village (code, town_code, name) select '370404103998', min(code), 'x' from town;"
    " insert into closing (id, village_code, insurance, levy_year, code, starts_at, ends_at, no, agreed_no)"
    " overriding system value values (1, '370404103998', 'RES_MEDICAL', 2022, 'x', '2021-12-21 00:00+08',"
    " '2022-01-21 00:00+08', 1, 1);"
    " insert into closing_row values (1, 1, 7, '张*', true);"
    " insert into closing_version (closing_id, no, done, owing, excluded, beside, digest, drawn_by, drawn_at)"
    " values (1, 1, 1, 0, 0, 0, closing_digest(1, 1), 'staff:a', now());"
    " insert into closing_step (closing_id, no, what, by, at, place) values"
    " (1, 1, 'AGREED', 'staff:b', '2021-12-21 09:00+08', null),"
    " (1, 1, 'HUNG', 'agent:7', '2021-12-21 10:00+08', 'village')"
)
IN_CASH = (  # by an agent, of a bill that was paid in cash, and of one that was voided; the bank has the first
    "insert into village (code, town_code, name) select '370404103998', min(code), 'x' from town;"
    " insert into agent (id, login, name, password_hash) overriding system value values (7, 'x', 'x', 'x');"
    " insert into account values ('cash:agent:7', 'asset', 'x') on conflict (code) do update set name = 'x';"
    " insert into receipt_book (id, village_code, first, last, next, by, at) overriding system value"
    " values (1, '370404103998', 202200000001, 202200000009, 202200000002, 'staff:a', now());"
    " insert into cash_switch (village_code, day, is_on, by, at) values"
    " ('370404103998', '2021-11-05', true, 'staff:t', '2021-11-05 00:00+08');"
    " insert into cash_batch (id, agent_id, count, total, oldest, arrived, at) overriding system value"
    " select 1, 7, 1, personal_due, now(), personal_due, now() from bill where household_id = 21 and state = 'settled';"
    " insert into receipt (serial, book_id, village_code, agent_id, household_id, bill_id, amount, code, key,"
    " issued_at, state, batch_id) select 202200000001, 1, '370404103998', 7, household_id, id, personal_due, 'x', '',"
    " '2021-11-05 10:00+08', 'REMITTED', 1 from bill where household_id = 21 and state = 'settled';"
    " insert into entry (household_id, cause, booked_on, happened_at, transaction)"
    " select household_id, 'receipt:cash:202200000001', '2021-11-05', now(), 1 from receipt;"
    " insert into posting select household_id, 'receipt:cash:202200000001',"
    " 1, 'cash:agent:7', amount, bill_id from receipt;"
    " insert into posting select household_id, 'receipt:cash:202200000001',"
    " 2, 'bank:pending', -amount, null from receipt;"
    " insert into entry (household_id, cause, booked_on, happened_at, transaction)"
    " select 0, 'deposit:C1', '2021-11-05', now(), 1 from receipt;"
    " insert into posting select 0, 'deposit:C1', 1, 'bank:pending', amount, null from receipt;"
    " insert into posting select 0, 'deposit:C1', 2, 'cash:agent:7', -amount, null from receipt"
)
COLLECTED = (  # by that roster, as if an agent had begun the payment
    f"{IN_FORCE}; update payment_bill pb set roster_id = 1, roster_no = 1 from payment p"
    " where p.number = pb.number and p.state = 'paid';"
    " insert into roster_row select distinct 1, 1, b.person_id, 'x' from bill b where b.person_id <> 7;"
    " update payment set ordered_at = '2021-11-05 12:00+08', memo = memo || '{\"by_roster\": [2022]}'"
)
TAMPERINGS = (
    ("INV-141", f"{COLLECTED}; update roster_step set at = '2021-11-05 12:02+08' where what = 'EFFECTIVE'"),
    ("INV-141", f"{COLLECTED}; update payment_bill set roster_no = 2 where roster_no = 1"),
    ("INV-141", f"{COLLECTED}; delete from roster_row where person_id <> 7"),
    (
        "INV-141",
        f"{COLLECTED}; insert into roster_step (roster_id, no, what, by, at)"
        " values (1, 2, 'EFFECTIVE', 'staff:c', '2021-11-05 11:58+08')",
    ),
    ("INV-142", f"{COLLECTED}; update payment_bill set roster_id = null"),
    ("INV-143", f"{A_CLOSING}; update closing_row set done = false"),
    ("INV-143", f"{A_CLOSING}; update closing_version set owing = 1"),
    ("INV-144", f"{A_CLOSING}; update closing_step set by = 'staff:a' where what = 'AGREED'"),
    ("INV-144", f"{A_CLOSING}; update closing_step set at = '2021-12-22 09:00+08' where what = 'AGREED'"),
    ("INV-145", f"{A_CLOSING}; update closing_step set at = '2022-01-21 00:00+08' where what = 'HUNG'"),
    (
        "INV-145",
        f"{A_CLOSING}; insert into closing_step values (99, 1, 1, 'TAKEN_DOWN', 'x', '2022-01-20 00:00+08', 'village')",
    ),
    ("INV-16", f"{IN_CASH}; update posting set amount = amount - 1 where cause = 'deposit:C1' and line = 2"),
    ("INV-147", f"{IN_CASH}; update cash_batch set arrived = 0"),
    ("INV-147", f"{IN_CASH}; delete from posting where cause = 'deposit:C1'"),
    ("INV-148", f"{IN_CASH}; update receipt_book set next = next + 1"),
    ("INV-148", f"{IN_CASH}; delete from receipt"),
    ("INV-149", f"{IN_CASH}; update receipt set amount = amount + 1"),
    ("INV-149", f"{IN_CASH}; delete from receipt"),
    (
        "INV-149",
        f"{IN_CASH}; update receipt set state = 'VOIDED', void_why = 'torn', voided_at = now(), batch_id = null",
    ),
    ("INV-150", f"{IN_CASH}; update cash_batch set total = total + 1"),
    ("INV-150", f"{IN_CASH}; update receipt set agent_id = 8"),
    ("INV-151", f"{IN_CASH}; update cash_switch set is_on = false"),
    ("INV-151", f"{IN_CASH}; update receipt set issued_at = issued_at + interval '1 day'"),
    ("INV-146", f"{A_CLOSING}; insert into closing_row values (1, 2, 7, '张*', true)"),
    ("INV-138", f"{IN_FORCE}; delete from roster_step where what = 'HRSS_REVIEWED'"),
    (
        "INV-138",
        f"{IN_FORCE}; update roster_posting set starts_at = '2021-11-02 01:00+08', ends_at = '2021-11-05 01:00+08'",
    ),
    (
        "INV-139",
        f"{IN_FORCE}; insert into roster_objection (roster_id, no, words, by, at, owner, due_on, kept_from, state)"
        " values (1, 1, 'x', 'account:1', now(), 'medical', '2021-11-05', now(), 'RAISED')",
    ),
    ("INV-140", f"{IN_FORCE}; update roster_step set by = 'staff:b' where what = 'EFFECTIVE'"),
    ("INV-140", f"{IN_FORCE}; update roster_step set at = '2021-11-04 10:00+08' where what = 'EFFECTIVE'"),
    ("INV-140", f"{A_ROSTER}; update roster set state = 'EFFECTIVE'"),
    ("INV-135", f"{A_ROSTER}; delete from roster_step where by = 'staff:c'"),
    ("INV-135", f"{A_ROSTER}; update roster_version set drawn_by = 'staff:c'"),
    ("INV-136", f"{A_ROSTER}; update roster_row set masked = '李*'"),
    ("INV-136", f"{A_ROSTER}; update roster_version set registered = 4"),
    ("INV-137", f"{A_ROSTER}; update roster set no = 2"),
    ("INV-137", f"{A_ROSTER}; insert into roster_row values (1, 2, 7, '张*')"),
    ("INV-125", f"{A_PLEDGE}; insert into pledge_money select household_id, cause, 7, 5, now() from entry"),
    (
        "INV-125",
        "update posting set item = null, account = 'sponsor:7' where account ~ '^receivable' and household_id = 21",
    ),
    ("INV-126", f"{A_PLEDGE}; update pledge set taken = 5"),
    ("INV-126", f"{A_PLEDGE}; update pledge set taken = 5, spoken = 5"),
    ("INV-127", f"{A_PLEDGE}; insert into pledge_share select household_id, id, 7, 5, 'reserved' from bill"),
    ("INV-127", "update bill_line set part = 'sponsor', payer = 'sponsor:7' where part = 'gov_subsidy'"),
    ("INV-128", f"alter table pledge drop constraint ck__pledge__covered; {A_PLEDGE}; update pledge set spoken = 5"),
    ("INV-129", f"{A_PLEDGE}; update pledge_terms set agreed_by = 'b', agreed_at = now()"),
    ("INV-129", f"{A_PLEDGE}; update pledge set state = 'agreed'"),
    (
        "INV-103",
        "insert into suspense (household_id, cause, doubt, owner, gateway, number, amount, owned_on, due_on)"
        " select household_id, 'receipt:wechat:AGAIN', 'unknown_number', 'tax_clerk', gateway, number, 1, '2021-11-06',"
        " '2021-11-12' from payment where household_id = 21",
    ),
    (
        "INV-105",
        "insert into reopening (lost_since, lost_until, at, by, timeline, last_household, first_household)"
        " select now(), now(), now(), 'x', 2, max(id), max(id) + 100 from household;"
        " insert into village (code, town_code, name) select '370404103999', min(code), 'x' from town;"
        " insert into household (id, village_code, number) overriding system value"
        " select max(id) + 1, '370404103999', '1' from household",
    ),
    # the truth that finds it, what was done
    ("INV-01", "update posting set amount = amount + 1 where account = 'clearing:wechat'"),
    ("INV-02", "update posting set amount = amount - 1 where account = 'fund:RES_MEDICAL:2022'"),
    ("INV-02", "delete from posting where starts_with(account, 'receivable:')"),
    ("INV-02", "delete from posting where cause in (select cause from entry limit 1)"),
    ("INV-03", "delete from payment where state = 'paid' and household_id = 21"),
    ("INV-04", "insert into entry values (21, 'receipt:wechat:INVENTED', '2021-11-05', now(), now(), 1)"),
    ("INV-04", "delete from posting where household_id = 21; delete from entry where household_id = 21"),
    ("INV-04", "update payment set reference = 'ANOTHER' where household_id = 21"),
    ("INV-05", "update posting set amount = amount * 2 where household_id = 21"),
    ("INV-05", "update payment set amount = amount + 1 where household_id = 21"),
    ("INV-05", "update suspense set amount = amount - 1 where doubt = 'surplus'"),
    (
        "INV-06",
        "drop index uq__bill__levy_item; "
        "update bill set person_id = 31, state = 'settled' where household_id in (21, 22)",
    ),
    ("INV-07", "update payment set amount = amount + 1 where household_id = 21"),
    ("INV-08", "update bill set settled_by = 'receipt:wechat:OTHER' where household_id = 21"),
    ("INV-04", "delete from suspense where doubt = 'surplus'"),
    ("INV-08", "update payment set state = 'surplus' where household_id = 21"),
    ("INV-09", "update posting set item = null where household_id = 21"),
    ("INV-10", "update bill set state = 'withdrawn', settled_by = null where household_id = 21"),
    ("INV-10", "update bill_line set amount = amount + 100 where payer = 'finance' and household_id = 21"),
    (
        "INV-10",
        "update posting set account = 'clearing:alipay' where account ~ '^receivable' and household_id = 21",
    ),
    (
        "INV-97",
        f"{A_COMPLAINT}; update complaint set came_at = '2021-10-01', answer_by = '2021-10-02', end_by = '2021-10-04'",
    ),
    (
        "INV-97",
        f"{A_COMPLAINT}; update complaint set came_at = '2021-10-01', answer_by = '2021-10-02', rung = '{{end_over}}'",
    ),
    (
        "INV-98",
        f"{A_COMPLAINT}; insert into complaint_reply (gateway, number, cause, kind, words, by, at, next_try_at)"
        " values ('wechat', '1', '1:finish:0', 'finish', '', 'staff:x', now(), now() - interval '1 hour')",
    ),
    (
        "INV-99",
        f"{A_COMPLAINT}; update complaint set payment = number, household_id = household_id + 1",
    ),
    ("INV-99", f"{A_COMPLAINT}; update complaint set refund = 'YT0'"),
    (
        "INV-96",
        "insert into channel_pause (gateway, why, words, paused_by, paused_at, opened_by, opened_at)"
        " select gateway, 'x', 'x', 'staff:x', started_at - interval '2 minutes', 'staff:x', now() + interval '1 year'"
        " from payment where household_id = 21 limit 1",
    ),
    ("INV-12", "update suspense set created_at = now() - interval '2 minutes' where doubt = 'surplus'"),
    ("INV-13", "update posting set amount = amount + sign(amount) where household_id = 21"),
    ("INV-13", "update entry set happened_at = happened_at + interval '1 s' where household_id = 22"),
    ("INV-13", "delete from posting where household_id = 22; delete from entry where household_id = 22"),
    (
        "INV-13",
        "insert into sealed_day select day + 1, entries, postings, digest, digest, '[]', closed_by,"
        " confirmed_by, closed_at, written_at from sealed_day",
    ),
    (
        "INV-13",
        "insert into sealed_day select day + 1, 0, 0, day_digest(sha256('x'), day + 1, 0, 0, null), sha256('x'), '[]',"
        " closed_by, confirmed_by, closed_at, written_at from sealed_day",
    ),
    ("INV-14", "delete from notice where household_id = 21"),
    ("INV-15", "update payment_bill set live = true where household_id = 21"),
    (
        "INV-17",
        "update received set result = 'failed:XX000', received_at = now() - interval '1 minute'",
    ),
    ("INV-18", "update payment set next_query_at = null where state = 'created'"),
    ("INV-18", "update payment set next_query_at = now() - interval '10 minutes' where state = 'created'"),
    ("INV-19", "update suspense set due_on = '2021-11-04'"),
    ("INV-19", "update suspense set owned_on = '2021-11-04'"),
    ("INV-22", "update bill_line set amount = amount - 1 where payer = 'resident' and household_id = 21"),
    ("INV-23", "update bill set settled_at = price_until where household_id = 21"),
    (
        "INV-28",
        "insert into statement (gateway, day, state, lines, received, refunded)"
        " values ('wechat', '2021-11-05', 'whole', 1, 5, 0)",
    ),
    ("INV-93", "update payment set payer = '\\x00' where household_id = 21"),
    ("INV-93", "update payment set kind = 'account' where household_id = 21"),
    ("INV-60", "insert into trouble values ('refund', 'YT1', 3, 'AssertionError gateway.py:253', now())"),
    ("INV-61", f"{A_REFUND}; update refund set state = 'paying', resends = 6"),
    ("INV-62", A_REFUND),
    (
        "INV-62",
        f"{A_REFUND}; insert into refund_step select household_id, number, 1, 'applied', null, applied_by, now()"
        " from refund; insert into refund_step select household_id, number, 2, 'approved', null, 'staff:other', now()"
        " from refund",
    ),
    (
        "INV-87",
        f"{A_REFUND}; insert into refund_step select household_id, number, 2, 'withdrawn', null, applied_by, now()"
        " from refund",
    ),
    (
        "INV-87",
        "update suspense set solved_at = now(), solved_by = 'staff:li', solution = 'applied';"
        " insert into suspense_step select household_id, cause, 2, 'withdrawn', 'staff:li', now() from suspense",
    ),
    (
        "INV-87",
        "insert into discrepancy (id, books, channel, day, kind, what, subject, owner, opened_at, deadline, seen_at)"
        " overriding system value values (7, 'channel', 'wechat', '2021-11-05', 'AMOUNT_DIFF', 'payment', '42',"
        " 'tax_clerk', now(), now(), now());"
        " insert into discrepancy_step (discrepancy, step, word, by, at) values (7, 1, 'withdrawn', 'staff:li', now());"
        " insert into entry values (0, 'discrepancy:7:booked', '2021-11-05', now(), now(), 1)",
    ),
    (
        "INV-63",
        "update suspense set doubt = 'unconfirmed', household_id = 23, solved_at = now(), solved_by = 'staff:li',"
        " solution = 'given_back', number = (select number from payment where household_id = 23)",
    ),
    (
        "INV-64",
        "update suspense set amount = null;"
        " update payment set state = 'closed', reference = null where household_id = 22;"
        " update received set result = 'again' where household_id = 22",
    ),
    (
        "INV-50",
        "insert into statement (gateway, day, state, lines, received, refunded, matched_at)"
        " values ('wechat', '2021-11-05', 'whole', 1, 5, 0, now());"
        " insert into statement_row values ('wechat', '2021-11-05', 1, 'payment', '', 'X', '', '', 5, 0, null, '');"
        " insert into statement_match (gateway, day, row, verdict)"
        " values ('wechat', '2021-11-05', 1, 'MISSING_IN_LEDGER')",
    ),
    (
        "INV-50",
        "insert into statement (gateway, day, state, lines, received, refunded, matched_at)"
        " values ('wechat', '2021-11-05', 'whole', 1, 5, 0, now());"
        " insert into statement_match (gateway, day, row, verdict) values ('wechat', '2021-11-05', 7, 'matched')",
    ),
    (
        "INV-51",
        "insert into unasked_refund"
        " values (21, 'refund:wechat:X:unasked', 'wechat', 'YT21110500000021AAAAAAAAAA', '', null, 5)",
    ),
    (
        "INV-52",
        "insert into discrepancy (books, channel, day, kind, what, subject, owner, opened_at, deadline, seen_at)"
        " values ('channel', 'wechat', '2021-11-05', 'MISSING_IN_BANK', 'refund', 'YT21110500000021AAAAAAAAAA',"
        " 'refund_desk', now(), now(), now())",
    ),
    (
        "INV-53",
        "insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why,"
        " reason, sent_as, applied_by, applied_at) values (21, 'YT1', 'receipt:wechat:1', 'wechat', 'X', 'x', now(), 5,"
        " 5, 'x', 'x', 'YT1', 'a', now())",
    ),
    (
        "INV-54",
        "insert into statement (gateway, day, state, lines, received, refunded, matched_at)"
        " values ('wechat', '2021-11-05', 'whole', 0, 0, 0, now());"
        " insert into discrepancy (id, books, channel, day, kind, what, subject, owner, opened_at, deadline, seen_at,"
        " state, remedy, reason, cleared_by, confirmed_by) overriding system value values (7, 'channel', 'wechat',"
        " '2021-11-05', 'AMOUNT_DIFF', 'payment', '42', 'tax_clerk', now(), now(), now() - interval '1 s', 'cleared',"
        " 'book', 'x', 'a', 'b');"
        " insert into entry values (0, 'discrepancy:7:booked', '2021-11-05', now(), now(), 1)",
    ),
    (
        "INV-55",
        "insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why,"
        " reason, sent_as, applied_by, applied_at, decided_by, state) values (21, 'YT1', 'discrepancy:7:booked',"
        " 'wechat', 'X', 'x', now(), 5, 5, 'x', 'x', 'YT1', 'a', now(), 'b', 'paying')",
    ),
    (
        "INV-56",
        "insert into entry values (21, 'receipt:ccb_pos:T1-1', '2021-11-05', now(), now(), 1),"
        " (22, 'receipt:ccb_pos:T1-1', '2021-11-05', now(), now(), 1)",
    ),
    (
        "INV-11",
        "insert into unasked_refund select household_id, 'refund:wechat:' || n || ':unasked', 'wechat', '', '', cause,"
        " 32000 from entry, generate_series(1, 2) n where household_id = 21",
    ),
    ("INV-70", "update bill set reason_code = 'BACKPAY_APPROVED' where household_id = 21"),
    ("INV-70", "update bill set determination = 7, years = '{2020}' where household_id = 21"),
    (
        "INV-110",
        "update bill set person_id = 31, state = 'settled' where household_id = 21; "
        "insert into determination (id, person_id, insurance, levy_year, kind, state, requested_by, applied_at, amount,"
        " years, decided_by, decided_at) overriding system value select 7, 31, insurance, 2022, 'policy_backpay',"
        " 'approved', 'a', now(), 100, '{2021,2022}', 'b', now() from bill where household_id = 21; "
        "update bill set determination = 7, years = '{2021,2022}', person_id = 31, state = 'settled'"
        " where household_id = 22",
    ),
    ("INV-71", f"{A_REFUND}; update refund set why = 'late_entitlement'; {ITS_BILL}"),
    (
        "INV-71",
        f"{A_REFUND}; update refund set why = 'late_entitlement'; {ITS_BILL}; update refund_bill set replacement ="
        " jsonb_build_object('bill', jsonb_build_object('id', 9)); insert into bill select household_id, 9, person_id,"
        " insurance, 2021, tier, total, 0, 'OK_WAIVED', price_until from bill where household_id = 21",
    ),
    (
        "INV-111",
        "alter table bill drop constraint ck__bill__level; update bill set insurance = 'RES_PENSION', level = 2",
    ),
    (
        "INV-111",
        f"{A_REFUND}; {ITS_BILL}; update refund_bill set replacement ="
        " jsonb_build_object('bill', jsonb_build_object('id', 9)); insert into bill (household_id, id,"
        " person_id, insurance, levy_year, total, personal_due, reason_code, price_until, level)"
        " select household_id, 9, person_id, insurance, 2021, total, 0, 'OK_WAIVED', price_until, 2 from bill"
        " where household_id = 21",
    ),
    (
        "INV-113",
        "update bill set insurance = 'RES_PENSION', tier = 52000, total = 32000, raised_from = 20000"
        " where household_id = 21",
    ),
    (
        "INV-113",
        "alter table bill drop constraint ck__bill__raised_from;"
        " update bill set insurance = 'RES_PENSION', tier = 20000, person_id = 31 where household_id = 22;"
        " update bill set insurance = 'RES_PENSION', tier = 60000, raised_from = 20000, person_id = 31"
        " where household_id = 21",
    ),
    (
        "INV-58",
        "update suspense set cause = 'discrepancy:7:booked', solved_at = now(), solved_by = 'staff:li',"
        " solution = 'never_there'",
    ),
    (
        "INV-58",
        "insert into discrepancy (id, books, channel, day, kind, what, subject, lacks, note, owner, opened_at,"
        " deadline, seen_at) overriding system value"
        " values (8, 'channel', 'wechat', '2021-11-05', 'AMOUNT_DIFF', 'payment',"
        " booked_difference('7'), -32000, 'vanished', 'tax_clerk', now(), now(), now());"
        " insert into entry values (0, 'discrepancy:8:booked', '2021-11-05', now(), now(), 1);"
        " update suspense set cause = 'discrepancy:7:booked', household_id = 0, amount = 32000",
    ),
    (
        "INV-57",
        "insert into statement (gateway, day, state, lines, received, refunded, matched_at)"
        " values ('wechat', '2021-11-05', 'whole', 0, 0, 0, now());"
        " insert into unasked_refund select household_id, cause, 'wechat', '', '', null, 5 from entry"
        " where household_id = 21",
    ),
    (
        "INV-11",
        f"{A_REFUND}; insert into posting select household_id, 'refund:' || number || ':approved', 1,"
        " 'receivable:resident', -5, null from refund; insert into posting select household_id,"
        " 'refund:' || number || ':approved', 2, 'refunds:wechat', 5 - amount, null from refund",
    ),
    # M6: what a superuser edits beside the book
    ("INV-13", "update bill set person_id = 999 where household_id = 21"),
    ("INV-13", "update sealed_day set closed_by = 'staff:other'"),
    ("INV-13", "update sealed_day set confirmed_by = 'staff:other'"),
    ("INV-13", "update sealed_day set closed_at = closed_at + interval '1 s'"),
    ("INV-13", "update sealed_day set version = 1"),
    (
        "INV-24",
        "insert into household (village_code, number) select village_code, '0' || number from household;"
        " insert into person (household_id, id_number, id_index, name, birth_date, sex, digest)"
        " select (select max(id) from household), id_number, '', name, birth_date, sex, digest from person",
    ),
    (
        "INV-25",
        f"{A_REFUND}; {ITS_BILL};"
        " update refund set state = 'paid', paid_at = now() - interval '1 hour', next_query_at = null;"
        " insert into proof (household_id, code, kind, subject, cause, bills, content, issued_at)"
        " select household_id, 'X', 'confirmation', 'x', 'x', array[bill_id], '', now() from refund_bill",
    ),
    ("INV-130", f"{A_BILL}; update demand_line set amount = 31999; update demand set amount = 31999"),
    ("INV-130", f"{A_BILL}; update demand set fund = 'RES_PENSION'"),
    ("INV-131", f"{A_BILL}; update demand set amount = amount + 1"),
    ("INV-131", f"{A_BILL}; update demand set paid = 1, state = 'PARTLY_PAID'"),
    (
        "INV-131",
        f"{A_BILL}; insert into demand_payment select id, 'treasury', 'T1', 'passed', 1, now() from demand",
    ),
    (
        "INV-132",
        f"{A_BILL}; insert into demand_payment select id, 'bank', 'B1', 'paid', amount, now() from demand;"
        " update demand set paid = amount, state = 'PAID'",
    ),
    ("INV-81", f"{A_LIST}; update helped_category set no = 2"),
    ("INV-119", f"{A_LIST}; update helped_category set insurance = 'RES_PENSION'"),
    ("INV-119", f"{A_LIST}; update special_row set codes = '{{TEKUN}}' where no = 1"),
    (
        "INV-119",
        f"{A_LIST}; update special_batch set state = 'VALIDATED', taken_by = null, taken_at = null,"
        " ended_by = null, ended_at = null",
    ),
    (
        "INV-120",
        f"{A_LIST}; update special_row set state = 'FED_BACK', ended_at = null, ended_by = null,"
        " ended_why = null where no = 2",
    ),
    ("INV-120", f"{A_LIST}; update special_row set settled_by = batch_id + 9 where no = 2"),
    ("INV-121", f"{A_LIST}; delete from helped_category"),
    ("INV-124", f"{FOUND}; update matter set kind = 'DIED'"),
    ("INV-124", f"{FOUND}; update paid_elsewhere set insurance = 'RES_PENSION', code = 'pension_elsewhere'"),
    ("INV-124", f"{FOUND}; update paid_elsewhere set asked_by = 'staff:nobody', asked_at = now()"),
    ("INV-81", f"{FOUND}; update paid_elsewhere set proof = 'another'"),
    ("INV-81", f"{POLICE}; update police_word set day = '2021-01-01'"),
    ("INV-122", f"{POLICE}; update police_word set stands = 'overruled'"),
    ("INV-122", f"{POLICE}; update import_batch set kind = 'enrolment' where kind = 'police'"),
    ("INV-123", f"{POLICE}; delete from conflict"),
    (
        "INV-123",
        f"{POLICE}; update conflict set state = 'solved', decided_by = 'staff:nobody', decided_at = now(),"
        " word = 'police', why = 'invented'",
    ),
    ("INV-81", "update person set alive = false"),
    ("INV-81", "update enrolment set employee_insured = true"),
    ("INV-81", "update household set number = '9'"),
    ("INV-81", "insert into category select id, 'RES_MEDICAL', 'TEKUN' from person"),
    ("INV-81", "delete from category where insurance = 'RES_MEDICAL'"),
    ("INV-81", "select set_config('liangxian.cause', 'import:00', true); update person set student = true"),
    (
        "INV-81",
        "insert into reseal (head, of, rows, began_at, moved_at) values ('\\x0202', 'person', 1, now(), now());"
        " select set_config('liangxian.cause', 'reseal:0202', true); update person set name = '', student = true",
    ),
    (
        "INV-81",
        "insert into former_person select 2021, id, residence, student, family_type from person;"
        " update former_person set student = not student",
    ),
    ("INV-100", "insert into levy_year (year, opened_by) values (2024, 'x')"),
    ("INV-100", "update levy_year set closed_by = 'x', closed_at = now()"),
    ("INV-100", "delete from account where code = 'fund:RES_MEDICAL:2022'"),
    ("INV-100", "update bill set levy_year = 2021 where household_id = 21"),
    ("INV-112", "update bill_line set fund = 'LONG_TERM_CARE' where part = 'personal'"),
    ("INV-112", "update bill_line set fund = 'RES_PENSION' where part = 'personal' and fund = 'RES_MEDICAL'"),
    ("INV-102", "update bill_line set payer = 'mars' where part = 'gov_subsidy'"),
    ("INV-100", "insert into former_category select 2022, id, 'RES_MEDICAL', 'TEKUN' from person"),
    ("INV-100", "insert into former_category select 2019, id, 'RES_MEDICAL', 'TEKUN' from person"),
    (
        "INV-101",
        "insert into determination (person_id, insurance, levy_year, kind, state, requested_by, applied_at, decided_by,"
        " decided_at, years) select min(id), 'RES_MEDICAL', 2022, 'enrolment_history', 'approved', 'a', now(), 'b',"
        " now(), '{2021,2022}' from person",
    ),
    *(
        (
            "INV-117",
            "insert into determination (person_id, insurance, levy_year, kind, requested_by, applied_at, state,"
            " checked_by, withdrawn_by, withdrawn_at)"
            f" select min(id), 'RES_MEDICAL', 2022, 'newborn', 'staff:a', now(), {spoilt} from person",
        )
        for spoilt in ("'checking', 'staff:a', null, null", "'withdrawn', 'staff:b', 'staff:a', now()")
    ),
    (
        "INV-118",
        "insert into matter (kind, office, person_id, words, by, at, kept_from, due_on, state, taken_by)"
        " select 'DIED', 'hrss', min(id), 'x', 'agent:1', now(), now(), now(), 'taken', 'agent:1' from person",
    ),
    *(
        ("INV-134", f"{A_NEWBORN}; {A_JOINING} {spoilt}")
        for spoilt in (
            "update joining set decided_by = 'staff:nobody'",
            "update person set restricted_at = null",
            "update bill set person_id = (select other_id from joining) where household_id = 21",
            "update person set id_index = 'x' where id = (select kept_id from joining)",
        )
    ),
    ("INV-133", f"{A_NEWBORN}; update birth_certificate set index = 'another'"),
    (
        "INV-133",
        f"{A_NEWBORN}; update person set id_type = '01', id_index = 'x' where id_type = 'BIRTH_CERT';"
        " update person set id_index = 'paper' where id = (select min(parent_id) from newborn)",
    ),
    ("INV-133", f"{A_NEWBORN}; update staff set login = 'x' where login = 'born'"),
    ("INV-133", f"{A_NEWBORN}; delete from birth_certificate"),
    ("INV-82", "delete from received where household_id = 21"),
    ("INV-106", "update received set result = 'refused', received_at = now() - interval '98 days'"),
    (
        "INV-107",
        "insert into glass (asked_by, reason, asked_at, opened_by, opened_at, until)"
        " select by, 'because', at, 'staff:x', at - interval '1 minute', at + interval '9 minutes' from disclosure",
    ),
    (
        "INV-114",
        "insert into upload (name, digest, size, by, role, at) values ('x', sha256('x'), 98305, 'staff:li', 'hrss',"
        " now()); insert into upload_piece select id, 0, 'x' from upload",
    ),
    (
        "INV-114",
        "insert into upload (name, digest, size, by, role, at, gone_at, gone_by) values ('x', sha256('x'), 1,"
        " 'staff:li', 'hrss', now(), now(), 'staff:li'); insert into upload_piece select id, 0, 'x' from upload",
    ),
    (
        "INV-115",
        "insert into upload (name, digest, size, by, role, at) values ('x', sha256('x'), 1, 'staff:li', 'hrss', now());"
        " insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
        " values ('enrolment', 'another', 'x', 1, 1, 0, 0, 0); insert into office_job (kind, upload_id, by, at, state,"
        " began_at, ended_at, outcome) select 'register_take', u.id, u.by, now(), 'done', now(), now(),"
        " jsonb_build_object('taken', true, 'batch', b.id, 'rows_in', 1, 'added', 1, 'changed', 0, 'same', 0,"
        " 'refused', 0) from upload u, import_batch b where b.file_hash = 'another'",
    ),
    ("INV-114", "insert into office_job (kind, by, at) values ('register_look', 'staff:invented', now())"),
    ("INV-81", "update person set restricted_at = now()"),
    ("INV-108", f"{AN_ERASURE} from person"),
    ("INV-109", f"update person set restricted_at = now(); {AN_ERASURE} from person"),
    (
        "INV-109",
        f"update person set restricted_at = now(), phone = null; {AN_ERASURE}, now() from person".replace(
            "went)", "went, let_go_at)"
        ),
    ),
    ("INV-82", "update received set body = 'x' where household_id = 22"),
    ("INV-82", "delete from act"),
    ("INV-82", "update disclosure set by = 'staff:other'"),
    ("INV-39", "update notice set next_try_at = now() - interval '1 hour'"),
    ("INV-90", "update notice set rank = 2, ask_at = now() - interval '1 hour' where household_id = 21"),
    ("INV-91", "update notice set rank = 3 where household_id = 21"),
    (
        "INV-91",
        "update notice set rank = 3, channel = 'sms', sent_at = now(), delivered_at = now() - interval '2 hours'"
        " where household_id = 21",
    ),
    (
        "INV-92",
        """update notice set rank = 2, channel = 'sms', failures = '{"sms": "UNDELIV"}' where household_id = 21""",
    ),
)


@pytest.fixture(scope="module")
def book(database: Server) -> Iterator[Engine]:
    """Two paid payments, one of them paid twice, one still open, on a closed day; as one whom no guard stops."""
    with emptied(database) as engine:
        with engine.begin() as connection:
            attempts = [
                a_started_payment(connection, a_bill(connection, household_id=household, person_id=household + 10))
                for household in (21, 22, 23)
            ]
        words = [a_paid_word(attempt) for attempt in attempts[:2]]
        words.append(a_paid_word(attempts[1], reference="42000PAIDTWICE"))
        with engine.begin() as connection:
            collect(
                connection, [a_message(word) for word in words], now=NOON, booked_on=NOON.date(), wall=datetime.now(UTC)
            )
        next_morning = NOON + timedelta(days=1)
        with engine.begin() as connection:
            a_person(connection, categories=("DIBAO",))
        with engine.begin() as connection:  # no list of the gateway is in: two people close the day all the same
            connection.execute(text("select ask_to_close('2021-11-05', 'staff:wang', :now)"), {"now": next_morning})
            assert seal(connection, NOON.date(), Closing("staff:wang", "staff:li", next_morning))
        admin = create_engine(
            database.admin_url()
            .replace("/postgres?", f"/{DATABASE}?")
            .replace("postgresql://", "postgresql+psycopg://")
        )
        with admin.begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            connection.execute(
                text(
                    "insert into disclosure (by, what, place, reason, at)"
                    " values ('staff:li', 'list', '1', '核对名单', now())"
                )
            )
            connection.execute(text("insert into act (what, by, way, at) values ('in', 'staff:li', 'web', now())"))
            connection.execute(text("select keep_days(current_date + 2)"))  # as the worker does, a day later
        yield admin
        admin.dispose()


def broken(connection: Connection) -> set[str]:
    return {
        found.number
        for found in look(connection, list(INVARIANTS.values()), wall=datetime.now(UTC), today=NOON.date())
        if found.rows
    }


def test_a_healthy_book_breaks_nothing(book: Engine) -> None:
    with book.connect() as connection:
        assert broken(connection) == set()
        assert missing_guards(connection) == []


@pytest.mark.parametrize(("number", "tampering"), TAMPERINGS)
def test_tampering_is_found(book: Engine, number: str, tampering: str) -> None:
    with book.connect() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for statement in tampering.split("; "):
            done = connection.exec_driver_sql(statement)
            assert done.rowcount > 0 or statement.startswith(("drop index", "alter table")), "the attack did something"

        found = broken(connection)

    assert number in found


def test_what_is_wrong_is_named_without_people(book: Engine) -> None:
    with book.connect() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("update posting set amount = amount + 1 where household_id = 21 and line = 1"))
        (found,) = look(connection, [INVARIANTS["INV-02"]], wall=datetime.now(UTC), today=NOON.date())

    assert found.rows == 1 and re.fullmatch(r"receipt:wechat:42000\w+", found.sample[0])


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        ("drop trigger balances on entry", "trigger balances on entry"),
        ("alter table posting disable trigger append_only", "trigger append_only on posting"),
        ("alter table entry disable trigger all", "trigger never_emptied on entry"),
        ("create or replace function ledger_balances() returns trigger language plpgsql as $$ begin return null;"
         " end $$",
         "function ledger_balances"),
        ("drop index uq__bill__levy_item", "index uq__bill__levy_item"),
        ("grant update on posting to liangxian_app", "liangxian_app may update posting"),
        ("grant insert (amount) on posting to liangxian_app", "liangxian_app may insert posting"),
        ("grant truncate on entry to liangxian_app", "liangxian_app may empty entry"),
        ("grant execute on function ledger_post to liangxian_app", "liangxian_app may call ledger_post"),
    ],
)  # fmt: skip
def test_a_guard_that_was_taken_away_is_missed(book: Engine, attack: str, named: str) -> None:
    with book.connect() as connection:
        connection.exec_driver_sql(attack)

        assert named in missing_guards(connection)


@pytest.mark.parametrize(("seconds", "rows"), [(119, 0), (121, 1)])
def test_an_old_question_is_not_overdue_before_two_minutes(book: Engine, seconds: int, rows: int) -> None:
    """Reckoned from the question itself, however long its book took to make."""
    questions = "select next_query_at from payment union all select next_query_at from refund"
    asked = f"select min(next_query_at) from ({questions}) q"
    with book.connect() as connection:
        first = connection.execute(text(asked)).scalar_one()
        wall = first + timedelta(seconds=seconds)
        (due,) = look(connection, [INVARIANTS["INV-18"]], wall=wall, today=NOON.date())
    assert due.rows == rows


def test_a_large_book_is_looked_at_in_pieces(book: Engine) -> None:
    with book.connect() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("update posting set amount = amount + 1 where line = 1"))
        wanted = [INVARIANTS["INV-02"]]
        whole = look(connection, wanted, wall=datetime.now(UTC), today=NOON.date())
        parted = look(
            connection, wanted, wall=datetime.now(UTC), today=NOON.date(), among=[(0, 20), (21, 21), (22, 40)]
        )
        elsewhere = look(connection, wanted, wall=datetime.now(UTC), today=NOON.date(), among=[(0, 20), (23, 40)])

    assert whole[0].rows == parted[0].rows == 3 and sorted(whole[0].sample) == sorted(parted[0].sample)
    assert elsewhere[0].rows == 0


def test_no_piece_ends_before_the_book_does(book: Engine) -> None:
    """K25: an entry under a household beyond the last bill is looked at like any other."""
    with book.connect() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(
            text("insert into entry values (9999999, 'receipt:wechat:FAR', '2021-11-05', now(), now(), 1)")
        )
        found = look(connection, [INVARIANTS["INV-04"]], wall=datetime.now(UTC), today=NOON.date())
        reached = list(pieces(connection))

    assert found[0].sample == ["receipt:wechat:FAR"]
    assert all(high + 1 == low for (_, high), (low, _) in pairwise(reached)) and reached[-1][1] >= 9999999


def test_every_truth_has_a_title_and_a_number_of_its_own() -> None:
    assert len(INVARIANTS) >= 20
    assert len({one.title for one in INVARIANTS.values()}) == len(INVARIANTS)


def test_psycopg_is_what_the_queries_are_written_for() -> None:
    assert psycopg.paramstyle == "pyformat"
    assert all("%" not in re.sub(r"%\((wall|today|low|high)\)s", "", one.sql) for one in INVARIANTS.values())

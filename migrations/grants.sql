-- Who may write what (decision 0021). Three roles: the owner migrates; the office's role makes accounts and takes files
-- in; the application's, of the web and the worker, does everything else, owns nothing, reads everything of ours, makes
-- nobody an official, and writes the book only through functions.
revoke all on all tables in schema public from liangxian_app, liangxian_office;
revoke all on all functions in schema public from public;
grant usage on schema public to liangxian_app;
grant select on all tables in schema public to liangxian_app;
grant execute on all functions in schema public to liangxian_app;
revoke execute on function ledger_post, post_settlement, hold_money, take_outcome, open_day, refund_note, refund_held,
  refund_postings, refund_replace, suspense_note, suspense_held, suspense_fits, suspense_solve, match_payments,
  match_refunds, name_difference, forget_differences, hold_for_nobody, unasked_moves, former_difference,
  discrepancy_note, demand_write, demand_settle, demand_pass_on, demand_book from liangxian_app;
revoke select on trail_key from liangxian_app;
revoke execute on function kept_rows, trail_digest, forget_refused from liangxian_app;
grant usage on all sequences in schema public to liangxian_app;

-- Residents at the door: their accounts, whom they pay for, what they agreed to, the code they wait for, their session,
-- how often they came. A session ends and a window passes: those rows go.
grant insert, update on resident_account to liangxian_app;
grant insert, update, delete on resident_person, login_code, session, tally to liangxian_app;
grant insert, delete on barred to liangxian_app;
grant insert on consent to liangxian_app;
grant insert, update on subscription to liangxian_app;
-- Who came in, failed, searched (app/access/access.sql); never changed.
grant insert on act to liangxian_app;
-- A bill and the attempts at paying it, each guarded by its triggers; the key of a wish that was sent twice.
grant insert, update on bill, payment to liangxian_app;
grant insert on bill_line, payment_bill, request_key to liangxian_app;
-- A channel is paused and opened again (payments/taking/pause.sql).
grant insert, update (opened_by, opened_at) on channel_pause to liangxian_app;
-- A payer's complaint, what is said of it, and what we say there (payments/complaints).
grant insert, update on complaint, complaint_reply, complaint_poll to liangxian_app;
grant insert on complaint_line to liangxian_app;
grant insert, update (at), delete on complaint_hint to liangxian_app;
-- A message nobody believed is kept as evidence; a message that was believed is written by collect().
grant insert on received to liangxian_app;
-- A notice waits, is tried and is sent; an agent tells at the door what could not be sent.
grant insert, update on notice to liangxian_app;
-- A resident asks a bureau; the bureau's answer is the office's.
grant insert on determination, determination_evidence to liangxian_app;
-- He says one sentence; what becomes of it is written by functions (app/flows/cases/matter.sql).
grant insert on matter to liangxian_app;
-- An agent notes what he found at a door, and changes nothing of it.
grant insert on door_note to liangxian_app;
-- Or asks to have a child registered that has no number yet (app/registry/newborn.sql).
grant insert on newborn to liangxian_app;
-- What the worker notes while it asks a channel about a refund; every step of it is a function's.
grant update (state, owner, sent_as, ordered_at, their_word, next_query_at, queries, resends) on refund to liangxian_app;
-- The worker's own notes: what the truths found, what it could not do.
grant insert, update on book_check to liangxian_app;
grant insert, update, delete on trouble to liangxian_app;
-- What `ops backup` and `ops drill` did; a server is reopened by the owner (app/flows/restore/reopen.py).
grant insert on backup_run to liangxian_app;
grant insert, update on backup, drill to liangxian_app;
-- A channel's list is read anew until it is compared; files of the bank and the treasury are only added to.
grant insert, update, delete on statement, statement_row, statement_piece to liangxian_app;
grant insert on outside_file, outside_row, certificate to liangxian_app;
grant update (alerted, note) on discrepancy to liangxian_app;
-- A paper is written once and given out again and again.
grant insert on proof to liangxian_app;
grant update (digests, given_out) on proof to liangxian_app;
-- The sandbox's clock; production reads none (decision 22).
grant insert, update on business_clock to liangxian_app;
-- A file that is handed in: its pieces, in the transaction that began it by keep_upload().
grant insert on upload_piece to liangxian_app;
revoke execute on function officer_here, keeper_of from liangxian_app;
-- The queue: its rows, never its shape.
grant select, insert, update, delete on procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers,
  procrastinate_workers to liangxian_app;

-- An attempt whose money is a pledge's (payments/pledges/pledge.sql); all else of sponsors is written by functions.
grant insert on pledge_payment to liangxian_app;
revoke execute on function pledge_take, pledge_claim, pledge_release, pledge_return from liangxian_app;

-- The office's role is a member of the application's and adds to it: places, accounts, the register, a bureau's word.
grant insert, update on town, village, agent, staff, household, person, enrolment, former_person,
  former_enrolment to liangxian_office;
grant update (state, amount, years, benefit_start, reason, decided_by, decided_at, checked_by, checked_at)
  on determination to liangxian_office;
grant insert, update, delete on agent_village, category, former_category to liangxian_office;
-- A department's list, its rows' lives, the categories it gives (app/flows/helped/helped.sql).
grant insert on special_batch, special_row to liangxian_office;
grant insert, update on special_layout to liangxian_office;
grant insert on import_batch to liangxian_office;
grant insert, update (state, decided_by, decided_at) on name_correction to liangxian_office;
grant insert, truncate, select on new_household, new_person to liangxian_office;
-- What was handed in at a page is worked on: the work moves, its own files are kept for who asked.
grant update (state, turns, rows, rows_about, began_at, ended_at, outcome, problem) on office_job to liangxian_office;
grant insert on upload to liangxian_office;
grant update (made_at) on lost_second to liangxian_office;
-- A person's erasure: asked for by hand, decided by its functions.
grant insert on erasure to liangxian_office;
-- A levy year begins and ends (app/registry/year.sql); a page does it in the name of the lead's live session.
revoke execute on function open_levy_year, open_receivables, open_funds, close_levy_year, levy_year_note from liangxian_app;
grant execute on function open_levy_year, close_levy_year to liangxian_office;
revoke execute on function helped_counted, helped_take, helped_drop, helped_tell, helped_tell_whom, helped_end, helped_close,
  helped_take_back from liangxian_app;
grant execute on function helped_counted, helped_take, helped_drop, helped_tell, helped_tell_whom, helped_end, helped_close,
  helped_take_back to liangxian_office;
-- A department's bill is drawn up by a bureau (app/flows/helped/bills.sql).
revoke execute on function helped_bill from liangxian_app;
grant execute on function helped_bill to liangxian_office;
revoke execute on function sponsor_enter, pledge_enter, pledge_agree, pledge_end from liangxian_app;
grant execute on function sponsor_enter, pledge_enter, pledge_agree, pledge_end, pledge_return to liangxian_office;
revoke execute on function nameless from liangxian_app;
revoke execute on function erase_person, erasure_withdraw, erasure_lift_ask, erasure_lift from liangxian_app;
grant execute on function erase_person, erasure_withdraw, erasure_lift_ask, erasure_lift to liangxian_office;
-- What the police's files say, and where offices contradict each other (app/flows/conflicts/conflict.sql).
revoke execute on function conflicts_looked, conflict_put, police_put, police_withdraw from liangxian_app;
revoke execute on function register_counted from liangxian_app;
grant execute on function register_counted to liangxian_office;
grant execute on function conflicts_looked, conflict_put, police_put, police_withdraw to liangxian_office;
-- Two rows of one person become one only when two of an office say so (app/registry/joining.sql).
revoke execute on function joining_unite, joining_officer, joining_offer from liangxian_app;
grant execute on function joining_offer to liangxian_office;
-- Who paid elsewhere is found by an office at its page (app/flows/cases/elsewhere.sql).
revoke execute on function elsewhere_of from liangxian_app;
-- Rosters are drawn up by the office process (app/flows/roster/draw.sql); a page only moves them.
revoke execute on function roster_hold, roster_gather, roster_write, roster_look, roster_differ from liangxian_app;
grant execute on function roster_hold, roster_gather, roster_write to liangxian_office;
grant insert, truncate, select on new_roster_name to liangxian_office;
-- So are the lists of who is insured after the season (app/flows/roster/closing.sql).
revoke execute on function closing_hold, closing_write from liangxian_app;
grant execute on function closing_hold, closing_write to liangxian_office;
grant insert, update, truncate, select on new_closing_row to liangxian_office;
-- Cash in villages is written by functions only (app/flows/custody/custody.sql).
revoke execute on function cash_settle, cash_undo, cash_arrives, cash_had_arrived, cash_writes_slip, cash_is_there,
  cash_account, cash_batch_of from liangxian_app;

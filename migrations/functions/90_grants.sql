-- The application's role owns nothing, reads everything of ours, and writes the book only through functions.
revoke all on all tables in schema public from liangxian_app;
revoke all on all functions in schema public from public;
grant usage on schema public to liangxian_app;
grant select on all tables in schema public to liangxian_app;
grant execute on all functions in schema public to liangxian_app;
revoke execute on function ledger_post, post_settlement, hold_money, take_outcome, open_day, refund_note, refund_held,
  refund_postings, refund_replace, suspense_note, suspense_held, suspense_fits, suspense_solve, match_payments,
  match_refunds, name_difference, forget_differences, hold_for_nobody from liangxian_app;
grant insert, update on household, person, enrolment, business_clock, agent, staff, session, tally, bill, payment,
  notice, subscription to liangxian_app;
grant insert on import_batch, bill_line, payment_bill, received, request_key to liangxian_app;
grant insert, delete on category, session, tally to liangxian_app;
grant insert, update on resident_account to liangxian_app;
grant insert, update, delete on resident_person, login_code to liangxian_app;
grant insert on consent, disclosure to liangxian_app;
grant insert, update on town, village, agent_village to liangxian_app;
grant update (state, owner, sent_as, ordered_at, their_word, next_query_at, queries, resends) on refund to liangxian_app;
grant insert, update on book_check to liangxian_app;
grant insert, update, delete on trouble to liangxian_app;
grant insert, update, delete on statement, statement_row, statement_piece to liangxian_app;
grant insert on outside_file, outside_row, certificate to liangxian_app;
grant insert, truncate on new_household, new_person to liangxian_app;
grant insert on proof to liangxian_app;
grant update (digests, given_out) on proof to liangxian_app;
grant update (alerted, note) on discrepancy to liangxian_app;
grant insert on determination to liangxian_app;
grant update (state, amount, years, benefit_start, reason, decided_by, decided_at) on determination to liangxian_app;
grant update (result) on received to liangxian_app;
grant all on procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers
  to liangxian_app;
grant usage on all sequences in schema public to liangxian_app;

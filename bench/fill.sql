-- Paid payments of the ordinary adult, households %(at)s to %(until)s, as collect() leaves them: only there to be many.

insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code, price_until,
                  state, settled_by, settled_at)
  select h, h, h, 'RES_MEDICAL', 2022, 90000, 32000, 'OK', '2022-01-01 00:00+08', 'settled',
         'receipt:wechat:42000' || h, '2021-11-05 12:02+08'
    from generate_series(%(at)s::bigint, %(until)s::bigint) h;

insert into bill_line
  select h, h, line, part, payer, 'RES_MEDICAL', amount, 'R16', ''
    from generate_series(%(at)s::bigint, %(until)s::bigint) h,
         (values (1, 'personal', 'resident', 32000), (2, 'gov_subsidy', 'finance', 58000)) v (line, part, payer, amount);

insert into payment (household_id, number, gateway, merchant, app, kind, amount, description, state, reference,
                     started_by, started_at, ordered_at, expires_at, paid_at, check_code, memo)
  select h, 'YC211105' || lpad(h::text, 18, '0'), 'wechat', %(mchid)s, %(appid)s, 'native', 32000,
         '峄城区2022年度城乡居民保险费', 'paid', '42000' || h, 'resident', now(), '2021-11-05 12:00+08',
         '2021-11-05 12:15+08', '2021-11-05 12:02+08', lpad(h::text, 8, '0'),
         '{"notice": {"fields": {"village": "榴园镇示例村", "names": "张*例", "items": "2022年居民医保", "amount": "320"}}}'
    from generate_series(%(at)s::bigint, %(until)s::bigint) h;

insert into payment_bill
  select h, 'YC211105' || lpad(h::text, 18, '0'), h, false from generate_series(%(at)s::bigint, %(until)s::bigint) h;

insert into entry
  select h, 'receipt:wechat:42000' || h, '2021-11-05', '2021-11-05 12:02+08', now(), 1
    from generate_series(%(at)s::bigint, %(until)s::bigint) h;

insert into posting
  select h, 'receipt:wechat:42000' || h, line, account, amount, h
    from generate_series(%(at)s::bigint, %(until)s::bigint) h,
         (values (1, 'receivable:gov_subsidy:finance:RES_MEDICAL', 58000), (2, 'clearing:wechat', 32000),
                 (3, 'fund:RES_MEDICAL:2022', -90000)) v (line, account, amount);

insert into received (household_id, id, gateway, headers, body, event_id, number, verdict, result)
  select h, h, 'wechat', '{"Wechatpay-Serial": "PUB_KEY_ID"}', convert_to(repeat('x', 600), 'UTF8'), 'EV',
         'YC211105' || lpad(h::text, 18, '0'), 'verified', 'paid'
    from generate_series(%(at)s::bigint, %(until)s::bigint) h;

insert into notice (household_id, cause, kind, fields, rank, sent_at)
  select h, 'payment:YC211105' || lpad(h::text, 18, '0') || ':paid', 'paid', '{}', 2, now()
    from generate_series(%(at)s::bigint, %(until)s::bigint) h

-- What must hold at all times, each a query that finds no row. The numbers are those of docs/proof.md; `what` names the
-- thing that is wrong by our own numbers and causes, never a person. %(wall)s is the system clock and %(today)s the
-- Beijing date of the business clock, for what must have happened by now. What is true household by household stands on the sums below, of households %(low)s to %(high)s: a
-- large book is looked at in pieces, and its tables are read once for all truths. Read by payments/truths/invariants.py;
-- `flask --app wsgi ledger check` runs them.

-- SUMS
booked as (  -- every entry's postings, and what a receipt brought into clearing
  select household_id, cause, count(*) as lines, sum(amount) as difference,
         sum(amount) filter (where amount > 0 and starts_with(account, 'clearing:')) as took,
         -sum(amount) filter (where item is null and starts_with(account, 'sponsor:')) as given
    from posting where household_id between %(low)s and %(high)s group by household_id, cause
), book as (  -- every bill as the book has it
  select household_id, item, -coalesce(sum(amount) filter (where starts_with(account, 'fund:')), 0) as due,
         coalesce(sum(amount) filter (where starts_with(account, 'receivable:') or starts_with(account, 'sponsor:')), 0)
           as others, coalesce(sum(amount) filter (where starts_with(account, 'sponsor:')), 0) as sponsored
    from posting where item is not null and household_id between %(low)s and %(high)s group by household_id, item
), line as (  -- every bill as it was issued
  select household_id, bill_id, sum(amount) as due, sum(amount) filter (where payer = 'resident') as mine,
         coalesce(sum(amount) filter (where pledge_of(part, payer) is not null), 0) as sponsored
    from bill_line where household_id between %(low)s and %(high)s group by household_id, bill_id
), bills as (
  select household_id, id, insurance, levy_year, determination, state, settled_by, settled_at, price_until, personal_due
    from bill where household_id between %(low)s and %(high)s
), attempt as (
  select household_id, number, gateway, started_at, state, amount,
         'receipt:' || gateway || ':' || reference as receipt, memo ? 'notice' as told,
         kind in ('jsapi', 'account') as by_user, payer is not null as payer_kept, ordered_at,
         memo -> 'by_roster' as by_roster
    from payment where household_id between %(low)s and %(high)s
), pair as materialized (  -- by itself: a long list of households must not be looked through for each payment
  select household_id, number, bill_id, live, roster_id, roster_no from payment_bill where household_id between %(low)s and %(high)s
), covered as (  -- every bill of every payment
  select a.household_id, a.number, a.state, a.amount, a.receipt, pb.live, b.id, b.settled_by, b.personal_due
    from attempt a join pair pb on pb.household_id = a.household_id and pb.number = a.number
    join bills b on b.household_id = pb.household_id and b.id = pb.bill_id
), told as (  -- all money the gateways told us of: what paid bills, and what is held
  select household_id, receipt as cause, amount from attempt where state = 'paid'
  union all
  select household_id, cause, amount from suspense
   where amount > 0 and gateway in ('wechat', 'alipay', 'unionpay') and starts_with(cause, 'receipt:')
     and household_id between %(low)s and %(high)s
)

-- INV-01 全部借方等于全部贷方
select 'difference ' || sum(amount) as what from posting having sum(amount) <> 0

-- INV-02 每笔分录至少两行，借贷相等
select e.cause as what
  from (select household_id, cause from entry where household_id between %(low)s and %(high)s) e
  left join booked on booked.household_id = e.household_id and booked.cause = e.cause
 where coalesce(booked.lines, 0) < 2 or booked.difference <> 0

-- INV-03 每个渠道：收到的款等于入账的款
select coalesce(booked.channel, told.channel) || ' ' || coalesce(booked.amount, 0) || ' / ' || coalesce(told.amount, 0)
       as what
  from (select split_part(account, ':', 2) as channel, sum(amount) as amount from posting
         where account in ('clearing:wechat', 'clearing:alipay', 'clearing:unionpay')
           and amount > 0 and starts_with(cause, 'receipt:') group by account) booked
  full join (select gateway as channel, sum(amount) as amount
               from (select gateway, amount from payment where state = 'paid'
                     union all
                     select gateway, amount from suspense where amount > 0 and starts_with(cause, 'receipt:')) each
              where gateway in ('wechat', 'alipay', 'unionpay') group by gateway) told on told.channel = booked.channel
 where coalesce(booked.amount, 0) <> coalesce(told.amount, 0)

-- INV-04 每笔到款正好入账一次
select cause as what
  from (select household_id, cause from booked
         where split_part(cause, ':', 1) = 'receipt' and split_part(cause, ':', 4) = ''
           and split_part(cause, ':', 2) in ('wechat', 'alipay', 'unionpay')
        union all  -- an entry without postings is no receipt either
        select household_id, cause from entry
         where household_id between %(low)s and %(high)s and starts_with(cause, 'receipt:')
           and (household_id, cause) not in (select household_id, cause from booked)) receipt
  full join told using (household_id, cause)
 where receipt.household_id is null or told.household_id is null
union all
select cause from told group by household_id, cause having count(*) > 1

-- INV-05 入账金额等于到款金额
select cause as what from booked join told using (household_id, cause) where booked.took is distinct from told.amount

-- INV-06 一人一险一年只有一份有效缴费，一次核定的补缴、一次补差提档也只有一份
select 'person ' || person_id || ' ' || insurance || ' ' || levy_year as what
  from bill where state = 'settled' group by person_id, insurance, levy_year, coalesce(determination, 0),
       raised_from is not null
having count(*) > 1

-- INV-07 已付的支付单，金额等于它的缴费单个人应缴之和
select number as what from covered where state = 'paid'
 group by household_id, number, amount having sum(personal_due) <> amount

-- INV-08 已付的支付单结清了它的缴费单；多付的有待退款记录
select number as what from covered where state = 'paid' and settled_by is distinct from receipt
union all
select number from attempt where state = 'surplus' and not exists (
   select from suspense s where s.household_id = attempt.household_id and s.cause = attempt.receipt)

-- INV-09 缴费单结清，必有结清它的分录
select 'bill ' || b.id as what
  from bills b
  left join (select household_id, cause, item from posting where household_id between %(low)s and %(high)s) p
       on p.household_id = b.household_id and p.cause = b.settled_by and p.item = b.id
 where b.state in ('settled', 'refunded') and p.item is null

-- INV-10 钱表相符：每张缴费单的明细等于账本，逐人逐险
select 'bill ' || b.id as what
  from bills b left join line on line.household_id = b.household_id and line.bill_id = b.id
  left join book on book.household_id = b.household_id and book.item = b.id
 where coalesce(book.due, 0) <> case b.state when 'settled' then line.due else 0 end
    or coalesce(book.others, 0) <> case b.state when 'settled' then line.due - coalesce(line.mine, 0) else 0 end

-- INV-11 退款不超过实付，退款状态与账本一致
select receipt as what from refund where state <> 'rejected'
 group by household_id, receipt having sum(amount) > min(paid)
union all  -- what was given back by hand counts as much, but what was beyond the receipt when it was told: that is owed
select u.receipt from unasked_refund u
 where u.receipt is not null and u.booked_back is null
 group by u.household_id, u.receipt
having receipt_gone(u.household_id, u.receipt) > receipt_amount(u.household_id, u.receipt)
union all
select r.number from refund r
 where (r.state in ('approved', 'paying', 'paid', 'abnormal', 'failed')) <> exists (
   select from entry e where e.household_id = r.household_id and e.cause = 'refund:' || r.number || ':approved')
union all
select r.number from refund r
 where r.state = 'paid' and r.amount is distinct from (
   select coalesce(sum(p.amount), 0) from posting p
    where p.household_id = r.household_id and starts_with(p.account, 'refunds:')
      and p.cause in ('refund:' || r.number || ':paid', 'refund:' || r.number || ':external',
                      'refund:' || r.number || ':by_hand'))
union all  -- what is agreed to is what is owed; only what went back by hand is set off against it
select r.number from refund r
  join posting p on p.household_id = r.household_id and p.cause = 'refund:' || r.number || ':approved'
   and (starts_with(p.account, 'refunds:') or p.account = 'receivable:resident')
 group by r.household_id, r.number, r.receipt, r.amount
having -sum(p.amount) filter (where p.account <> 'receivable:resident') is distinct from r.amount
    or coalesce(-sum(p.amount) filter (where p.account = 'receivable:resident'), 0) > receipt_unasked(r.receipt)

-- INV-12 多付的钱一分钟内申请退款
select s.cause as what from suspense s
 where s.doubt = 'surplus' and s.solved_at is null and s.created_at < %(wall)s - interval '60 s'
   and not exists (select from refund r where r.household_id = s.household_id and r.receipt = s.cause)
   and receipt_unasked(s.cause) < s.amount

-- INV-13 日结封账后没有变动
select to_char(day, 'YYYY-MM-DD') as what from sealed_day_broken() as day

-- INV-14 每笔缴费成功有一条通知
select attempt.number as what
  from attempt
  left join (select household_id, cause from notice where household_id between %(low)s and %(high)s) n
       on n.household_id = attempt.household_id and n.cause = 'payment:' || attempt.number || ':' || attempt.state
 where attempt.state in ('paid', 'surplus') and attempt.told and n.cause is null

-- INV-15 同一缴费单没有两笔进行中的支付
select 'bill ' || id as what from covered where live group by household_id, id having count(*) > 1
union all
select number from covered where live <> (state in ('created', 'pending', 'unknown', 'closing'))

-- INV-16 代办员手中现金不为负
select account || ' ' || sum(amount) as what
  from posting where starts_with(account, 'cash:agent:') group by account having sum(amount) < 0

-- INV-17 验过签名的回调五秒内入账
select r.gateway || ' ' || r.number || ' ' || r.result as what
  from received r
 where starts_with(r.result, 'failed') and r.received_at < %(wall)s - interval '5 s'
   and not exists (select from received later
                    where later.household_id = r.household_id and later.number = r.number
                      and later.received_at > r.received_at and later.verdict = 'verified'
                      and not starts_with(later.result, 'failed'))

-- INV-18 没有结果的支付和退款都排着下一次询问
select number as what from payment
 where state in ('created', 'pending', 'unknown', 'closing', 'left')
   and (next_query_at is null or next_query_at < %(wall)s - interval '120 s')
union all
select number from refund
 where state in ('approved', 'paying') and (next_query_at is null or next_query_at < %(wall)s - interval '120 s')

-- INV-19 待查款有人负责，不过期
select cause as what from suspense
 where solved_at is null and (due_on < %(today)s or (owned_on < %(today)s and not starts_with(owner, 'staff:')))

-- INV-21 一笔退款只冲一次，冲回的正是原来的缴费单
select r.number as what
  from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
 where rb.live
   and (b.state = 'refunded') <> (r.state in ('approved', 'paying', 'paid', 'abnormal', 'failed'))

-- INV-22 缴费单个人应缴等于本人那几行之和
select 'bill ' || b.id as what
  from bills b left join line on line.household_id = b.household_id and line.bill_id = b.id
 where b.personal_due <> coalesce(line.mine, 0)

-- INV-23 没有过期价格的缴费入账（以渠道成功时间为准）
select 'bill ' || id as what from bills
 where state = 'settled' and settled_at >= price_until and starts_with(settled_by, 'receipt:')

-- INV-28 对账单逐行相加等于它的合计
select s.gateway || ' ' || s.day as what
  from statement s
  left join (select gateway, day, count(*) as lines, sum(amount) filter (where movement = 'payment') as received,
                    sum(amount) filter (where movement = 'refund') as refunded
               from statement_row group by gateway, day) r on r.gateway = s.gateway and r.day = s.day
 where s.state <> 'waiting'
   and (s.lines <> coalesce(r.lines, 0) or s.received <> coalesce(r.received, 0) or s.refunded <> coalesce(r.refunded, 0))

-- INV-60 后台没有哪一件事一再办不成
select task || ' ' || subject || ' ' || error as what from trouble
 where times >= 3 and last_at > %(wall)s - interval '2 hours'

-- INV-61 没有一再发出而渠道总说不认识的退款
select number as what from refund where state = 'paying' and resends > 5 and their_word <> 'balance'

-- INV-62 退款由谁申请、由谁决定，与它的步骤一致
select r.number as what from refund r
 where not exists (select from refund_step s where s.household_id = r.household_id and s.number = r.number
                      and s.word = 'applied' and s.by = r.applied_by)
    or exists (select from refund_step s where s.household_id = r.household_id and s.number = r.number
                  and s.word in ('approved', 'rejected', 'withdrawn') and s.by is distinct from r.decided_by)

-- INV-63 待查款处理完了，它那一笔支付也结束了
select p.number as what from payment p
  join suspense s on s.household_id = p.household_id and s.number = p.number and s.gateway = p.gateway
 where p.next_query_at is not null and p.state in ('created', 'pending', 'unknown', 'closing')
   and s.solved_at is not null and s.doubt in ('amount', 'unconfirmed')

-- INV-64 说过“已经入账”的消息，账上都有
select s.cause as what from suspense s
 where s.amount is null and s.solved_at is null
   and exists (select from received r where r.household_id = s.household_id and r.number = s.number
                  and r.gateway = s.gateway and r.verdict = 'verified' and r.result = 'again')
   and not exists (select from payment p where p.household_id = s.household_id and p.number = s.number
                      and p.reference is not null)
   and not exists (select from suspense b where b.household_id = s.household_id and b.number = s.number
                      and b.amount > 0)

-- INV-39 通知不积压
select cause as what from notice where rank < 2 and next_try_at < %(wall)s - interval '10 minutes'

-- INV-50 核对过的对账单，每一处不符都有名字，核对的正是现在这一份
select m.gateway || ' ' || m.day || ' ' || m.verdict as what
  from (select gateway, day, verdict, count(*) as lines from statement_match where verdict <> 'matched'
         group by gateway, day, verdict) m
  join statement s on s.gateway = m.gateway and s.day = m.day
 where s.matched_at is not null and m.lines > (
   select count(*) from discrepancy d where d.books = 'channel' and d.channel = m.gateway and d.day = m.day
      and d.kind = m.verdict and d.what in ('payment', 'refund'))
union all
select s.gateway || ' ' || s.day from statement s
 where s.matched_at is not null
   and coalesce((select max(row) from statement_row r where r.gateway = s.gateway and r.day = s.day), 0)
       <> greatest((select max(row) from statement_match m where m.gateway = s.gateway and m.day = s.day), 0)

-- INV-51 记成手工退款的，没有一笔是我们自己的退款
select u.cause as what from unasked_refund u
 where is_our_number(u.number) and not exists (  -- one that was lost with the server is ours no more
         select from entry e, lateral (select (e.happened_at at time zone 'Asia/Shanghai')::date as day) their
          where e.household_id = u.household_id and e.cause = u.cause and (lost_near(day) or lost_near(day + 1)))
    or exists (
   select from refund_number n
    where n.household_id in (u.household_id, household_of_number(u.number))
      and (n.sent_as = u.number or n.reference = nullif(u.reference, '')))

-- INV-52 只有渠道退过的款，才在渠道账单上找
select 'difference ' || d.id as what from discrepancy d
 where d.books = 'channel' and d.what = 'refund' and d.kind = 'MISSING_IN_BANK' and d.state <> 'cleared'
   and not exists (select from refund_number n
                    where n.household_id = household_of_number(d.subject) and d.subject in (n.sent_as, n.number)
                      and n.booked is not null)
   and not exists (select from unasked_refund u
                    where u.gateway = d.channel and u.cause = 'refund:' || d.channel || ':' || d.subject || ':unasked')

-- INV-53 退款用过的每个单号都留着，钱从哪个单号出去也留着
select r.number as what from refund r
 where not exists (select from refund_number n where n.household_id = r.household_id and n.sent_as = r.sent_as
                      and n.number = r.number)
    or (r.state = 'paid' and exists (select from entry e where e.household_id = r.household_id
                                        and e.cause = 'refund:' || r.number || ':paid')
        and not exists (select from refund_number n where n.household_id = r.household_id and n.number = r.number
                           and n.booked = 'refund:' || r.number || ':paid'))

-- INV-54 入过账的差异，账单里没有了就另有名字
select 'difference ' || d.id as what
  from discrepancy d join statement s on s.gateway = d.channel and s.day = d.day
 where d.books = 'channel' and d.state = 'cleared' and d.remedy = 'book' and d.seen_at < s.matched_at
   and exists (select from entry e where e.household_id = 0 and e.cause = 'discrepancy:' || d.id || ':booked')
   and not exists (select from discrepancy told where told.books = d.books and told.channel = d.channel
                      and told.day = d.day and told.subject = booked_difference(d.id::text))

-- INV-55 交给渠道去退的，都是渠道自己收的款
select number as what from refund where state = 'paying' and not starts_with(receipt, 'receipt:')

-- INV-56 一笔刷卡只入账一次，不论记在谁名下
select cause as what from entry where starts_with(cause, 'receipt:ccb_pos:')
 group by cause, (happened_at at time zone 'Asia/Shanghai')::date having count(*) > 1

-- INV-57 记成手工退款的，渠道账单里有；没有的另有名字
select u.cause as what
  from unasked_refund u
  join entry e on e.household_id = u.household_id and e.cause = u.cause
  join statement s on s.gateway = u.gateway and s.day = (e.happened_at at time zone 'Asia/Shanghai')::date
 where s.matched_at is not null and not exists (
   select from statement_match m
    where m.gateway = u.gateway and m.verdict <> 'matched' and m.household_id = u.household_id and m.cause = u.cause)
   and not exists (select from statement near where near.gateway = s.gateway and near.state <> 'waiting'
                      and near.day between s.day - 1 and s.day + 1 and near.matched_at is null)

-- INV-58 更正后没有的待查款，冲回和了结在一起
select s.cause as what from suspense s
 where s.solution = 'never_there' and not exists (
   select from discrepancy d join entry e on e.household_id = 0 and e.cause = 'discrepancy:' || d.id || ':booked'
    where d.note = 'vanished' and d.subject = booked_difference(split_part(s.cause, ':', 2)) and d.lacks = -s.amount)
union all
select s.cause from discrepancy d
  join entry e on e.household_id = 0 and e.cause = 'discrepancy:' || d.id || ':booked'
  join suspense s on s.household_id = 0
   and s.cause = 'discrepancy:' || substring(d.subject from booked_difference('([0-9]+)')) || ':booked'
 where d.note = 'vanished' and d.lacks = -s.amount and s.solution is distinct from 'never_there'

-- INV-70 补缴的缴费单各有一份通过的核定，人、年度、金额与它一致；当年的缴费单没有
select 'bill ' || b.id as what
  from bill b left join determination d on d.id = b.determination
 where (b.reason_code = 'BACKPAY_APPROVED') <> (b.determination is not null)
    or b.determination is not null and (d.state is distinct from 'approved'
       or d.kind not in ('policy_backpay', 'interrupted_backpay')
       or (d.person_id, d.insurance, d.levy_year, d.years) is distinct from (b.person_id, b.insurance, b.levy_year, b.years)
       or b.total <> coalesce(d.amount, b.tier * greatest(cardinality(d.years), 1)))

-- INV-110 一个人一种保险的一个年度，没有既单独交又补缴的
select 'bill ' || k.id as what
  from determination d
  join bill k on k.person_id = d.person_id and k.insurance = d.insurance and k.determination = d.id and k.state = 'settled'
  join bill b on b.person_id = d.person_id and b.insurance = d.insurance and b.levy_year = any (d.years)
 where d.kind <> 'enrolment_history' and d.years is not null and b.determination is null and b.state = 'settled'

-- INV-71 按政策少交的，只退差额：原来那一项还在，价钱更低
select r.number as what
  from refund r join refund_bill rb using (household_id, number)
  left join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
  left join bill n on n.household_id = rb.household_id and n.id = (rb.replacement->'bill'->>'id')::bigint
 where r.why = 'late_entitlement' and (rb.replacement is null or b.id is null
    or b.state = 'refunded' and n.id is null or n.personal_due >= b.personal_due
    or n.id is not null and (n.person_id, n.insurance, n.levy_year, n.determination)
                            is distinct from (b.person_id, b.insurance, b.levy_year, b.determination))

-- INV-111 写明档次的只有居民医保当年的缴费单；只退差额的，换上的缴费单还是那一档
select 'bill ' || b.id as what
  from bill b
 where b.level is not null and (b.level < 1 or b.insurance <> 'RES_MEDICAL' or b.determination is not null)
union all
select 'bill ' || n.id
  from refund_bill rb
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
  join bill n on n.household_id = rb.household_id and n.id = (rb.replacement->'bill'->>'id')::bigint
 where n.level is distinct from b.level

-- INV-113 补差提档的缴费单，旁边有它提高的那一份当年保费，只交两档的差价
select 'bill ' || r.id as what
  from bill r
 where r.raised_from is not null
   and (r.insurance <> 'RES_PENSION' or r.determination is not null or coalesce(r.tier, 0) <= r.raised_from
        or r.personal_due is distinct from r.tier - r.raised_from
        or r.state = 'settled' and not exists (
          select from bill b where b.person_id = r.person_id and b.insurance = r.insurance and b.levy_year = r.levy_year
             and b.determination is null and b.raised_from is null and b.state = 'settled' and b.tier = r.raised_from))

-- INV-81 参保登记的每次改动都有出处：导入的文件或更正
select changed.of || ' ' || changed.key || ' ' || array_to_string(changed.columns, ',') || ' ' || changed.by as what
  from register_change changed
 where not exists (select from import_batch b where changed.cause = 'import:' || encode(b.file_hash, 'hex'))
   and not exists (select from helped_category h
                    where changed.of = 'helped_category' and changed.cause = 'helped:' || h.batch_id
                      and changed.key = concat_ws('/', h.levy_year, h.person_id, h.insurance, h.code))
   and not exists (select from special_row t join special_batch b on b.id = t.batch_id  -- given by mistake
                    where changed.of = 'helped_category' and changed.cause = 'helped:' || t.batch_id
                      and t.taken_back_at is not null and t.person_id::text = split_part(changed.key, '/', 2)
                      and changed.key = any (select concat_ws('/', b.levy_year, t.person_id, t.insurance, code)
                                               from unnest(t.codes) code))
   and not exists (select from name_correction c
                    where c.state = 'done' and changed.cause = 'correction:' || c.id and changed.of = 'person'
                      and changed.key = c.person_id::text and changed.columns = array['name'])
   and not exists (select from joining j
                    where j.state = 'done' and changed.cause = 'joining:' || j.id
                      and split_part(changed.key, '/', 1) in (j.person_id::text, j.other_id::text)
                      and (changed.of = 'person'
                           and changed.columns <@ array['id_type', 'id_number', 'id_index', 'name', 'birth_date', 'sex', 'phone',
                                                        'restricted_at']
                           or changed.of = 'enrolment' and changed.columns = array['status']
                           or changed.of in ('category', 'police_word') and changed.columns = '{added}'))
   and not exists (select from phone_correction c
                    where changed.cause = 'phone:' || c.id and changed.of = 'person'
                      and changed.key = c.person_id::text and changed.columns = array['phone'])
   and not exists (select from paid_elsewhere e
                    where changed.of = 'paid_elsewhere' and changed.cause = 'elsewhere:' || e.id
                      and changed.key = concat_ws('/', e.id, e.levy_year, e.person_id, e.insurance, e.code)
                      and (changed.columns = '{added}' or changed.columns <@ array['asked_by', 'asked_at']
                           or e.back_at is not null and changed.columns <@ array['back_by', 'back_at', 'back_why']))
   and not exists (select from conflict c
                    where c.state = 'solved' and changed.of = 'police_word' and changed.cause = 'conflict:' || c.id
                      and split_part(changed.key, '/', 1) = c.person_id::text and changed.columns = array['stands'])
   and not exists (select from reseal r
                    where r.of = 'person' and changed.of = 'person' and changed.cause = 'reseal:' || encode(r.head, 'hex')
                      and changed.columns <@ array['id_number', 'name', 'phone']
                      and changed.at between r.began_at and r.moved_at + interval '1 minute')
   and not exists (select from erasure e
                    where e.agreed_at is not null and changed.cause = 'erasure:' || e.id
                      and split_part(changed.key, '/', case changed.of when 'former_person' then 2 else 1 end) = e.person_id::text
                      and (changed.of = 'person' and changed.columns <@ array['phone', 'restricted_at']
                           or e.let_go_at is not null
                              and (changed.of = 'person'
                                   and changed.columns <@ array['birth_date', 'id_index', 'id_number', 'name', 'parent_index',
                                                                'medical_years']
                                   or changed.of = 'former_person' and changed.columns <@ array['medical_years']
                                   or changed.of = 'enrolment' and changed.columns <@ array['source_person_no'])))

-- INV-119 部门给的每个类别，都有一份办过的名单、其中同一个人的一行
select 'list ' || h.batch_id || ' row ' || h.no as what
  from helped_category h
  left join special_row r on r.batch_id = h.batch_id and r.no = h.no and r.state = 'OK' and h.code = any (r.codes)
   and r.taken_back_at is null
  left join special_batch b on b.id = r.batch_id and b.taken_by is not null
 where (r.person_id, r.insurance, b.levy_year, b.department)
       is distinct from (h.person_id, h.insurance, h.levy_year, h.department)

-- INV-120 办结的名单，每一行都有结果；说是后来的名单办成的，那份名单办过，里面有同一险种的
select 'list ' || b.id || ' row ' || r.no as what
  from special_batch b join special_row r on r.batch_id = b.id
 where b.state = 'CLOSED' and r.state in ('FAILED', 'FED_BACK', 'PERSON_TOLD')
    or r.settled_by is not null and not exists (
         select from special_row t join special_batch later on later.id = t.batch_id and later.taken_by is not null
          where t.batch_id = r.settled_by and (t.state, t.insurance, t.department) = ('OK', r.insurance, r.department))

-- INV-121 办过的名单，办成的每一行都给了它的类别，除非部门收回了
select 'list ' || b.id || ' row ' || r.no as what
  from special_batch b join special_row r on r.batch_id = b.id and r.state = 'OK'
   and r.taken_back_at is null
 where b.taken_by is not null
   and exists (select from unnest(r.codes) as c (code)
                where not exists (select from helped_category h
                                   where (h.person_id, h.levy_year, h.insurance, h.code)
                                       = (r.person_id, b.levy_year, r.insurance, c.code)))

-- INV-122 公安说的每一句，都有导入过的一份文件；不算数的，都有主管局对同一个人的决定
select concat_ws('/', w.person_id, w.code) as what
  from police_word w
 where not exists (select from import_batch b where b.id = w.batch_id and b.kind = 'police')
    or w.stands = 'overruled' and not exists (
         select from conflict c where c.person_id = w.person_id and c.state = 'solved' and c.word = 'register'
            and c.kind = case w.code when 'DIED' then 'ALIVE' when 'EXEMPT' then 'AGE' else 'RESIDENCE' end)

-- INV-123 登记和公安说法不一的人，都有主管局来定；定了的写明谁定的、谁的话算数、为什么
select 'conflict ' || c.id as what
  from conflict c
 where c.state = 'solved'
   and (c.why is null or c.word is null or not exists (select from staff f where 'staff:' || f.login = c.decided_by))
union all
select concat_ws(' ', n.person_id, n.kind)
  from contradictions(null, null) n
 where not exists (select from conflict c
                    where (c.person_id, c.kind, c.about) = (n.person_id, n.kind, n.about) and c.state <> 'agreed')

-- INV-124 核实在外地交了的，都有人反映过，是同一个人、同一个险种；核实、再问、收回的都是主管局的人
select 'finding ' || e.id as what
  from paid_elsewhere e join matter m on m.id = e.matter_id
 where m.person_id is distinct from e.person_id or m.by = e.by
    or m.kind <> case e.insurance when 'RES_MEDICAL' then 'PAID_ELSEWHERE_MEDICAL' else 'PAID_ELSEWHERE_PENSION' end
    or exists (select from unnest(array[e.by, e.asked_by, e.back_by]) as hand (who)
                where who is not null and not exists (select from staff f where 'staff:' || f.login = who))

-- INV-130 部门代缴账单上的每一行，都是账上那个部门、那个险种、那一年度的一笔代缴应收
select d.number || ' ' || l.no as what
  from demand_line l join demand d on d.id = l.demand_id
  left join lateral (  -- each found by its key, whatever the statistics say
    select o.account, o.amount, o.item, (select levy_year from bill b where b.household_id = o.household_id and b.id = o.item)
      from posting o where (o.household_id, o.cause, o.line) = (l.household_id, l.cause, l.line) limit 1) p on true
 where (p.account, p.amount, p.item, p.levy_year)
       is distinct from (receivable_of('gov_substitute', d.department, d.fund), l.amount, l.item, d.levy_year)

-- INV-131 部门代缴账单的金额是各行之和，收到的是各笔之和；经银行收到的，转入国库不超过收到的
select d.number as what
  from demand d
  left join lateral (select sum(l.amount) as amount from demand_line l where l.demand_id = d.id) lines on true
  left join lateral (
    select coalesce(sum(p.amount) filter (where p.way = 'paid'), 0) as paid,
           coalesce(sum(p.amount) filter (where p.kind = 'bank'), 0)
           - coalesce(sum(p.amount) filter (where p.way = 'passed'), 0) as lies
      from demand_payment p where p.demand_id = d.id) came on true
 where d.amount is distinct from lines.amount or d.paid <> came.paid or came.paid > d.amount or came.lies < 0

-- INV-132 抵部门账单的每一笔钱，账上都是从那个部门来的，只抵一次
select used.kind || ' ' || used.serial as what
  from (select q.kind, q.serial, d.department, d.fund, d.levy_year,
               coalesce(sum(q.amount) filter (where q.way = 'paid'), 0) as paid,
               coalesce(sum(q.amount) filter (where q.way = 'passed'), 0) as passed
          from demand_payment q join demand d on d.id = q.demand_id
         group by q.kind, q.serial, d.department, d.fund, d.levy_year) used
  left join outside_row r on r.kind = used.kind and r.serial = used.serial
  left join lateral (
    select coalesce(-sum(p.amount) filter (where p.account = receivable_of('gov_substitute', used.department, used.fund)), 0) as owed,
           coalesce(-sum(p.amount) filter (where p.account = 'bank:pending' and p.amount < 0), 0) as passed
      from posting p where p.household_id = 0 and p.cause = r.cause) booked on true
 where r.serial is null or used.paid > booked.owed or r.demand <> '' and used.paid <> booked.owed
    or used.passed <> booked.passed
    or r.kind = 'treasury' and (r.part, r.channel, r.levy_year)
                               is distinct from ('gov_substitute:' || used.department, used.fund, used.levy_year)

-- INV-82 回调原文、查看记录、操作记录一条不少
select kept_day_broken() as what

-- INV-106 不可信的回调，内容到期都清了
select r.id::text as what
  from received r
 where r.result = 'refused' and r.received_at < now() - interval '97 days' and r.body <> ''

-- INV-107 应急查看时看过的完整号码，每一次都在它的记录里
select d.id::text as what
  from glass g join disclosure d
    on d.by = g.asked_by and d.at > g.opened_at and d.at < least(g.until, coalesce(g.ended_at, g.until))
 where not exists (select from glass_act a
                    where a.glass = g.id and a.at between d.at - interval '1 minute' and d.at + interval '1 minute')

-- INV-114 办公端交来的文件一块不少，删了的一块不留；叫办的事都有交来的人
select 'upload ' || u.id as what
  from upload u left join upload_piece p on p.upload_id = u.id
 group by u.id
having count(p.no) <> case when u.gone_at is null then (u.size + 98303) / 98304 else 0 end
    or coalesce(max(p.no) + 1, 0) <> count(p.no)
union all
select 'office_job ' || j.id
  from office_job j
 where not exists (select from staff f where j.by = 'staff:' || f.login)

-- INV-115 网页上确认导入的登记文件，都有它的批次，是同一份文件、同样的行数
select 'office_job ' || j.id as what
  from office_job j join upload u on u.id = j.upload_id
 where j.kind = 'register_take' and j.state = 'done' and (j.outcome->>'taken')::boolean
   and not exists (select from import_batch b
                    where b.id = (j.outcome->>'batch')::bigint and b.file_hash = u.digest
                      and (b.rows_in, b.added, b.changed, b.same, b.refused)
                        = ((j.outcome->>'rows_in')::int, (j.outcome->>'added')::int, (j.outcome->>'changed')::int,
                           (j.outcome->>'same')::int, (j.outcome->>'refused')::int))

-- INV-108 同意删除的人都限制处理了，撤销以前不会放开
select p.id::text as what
  from erasure e join person p on p.id = e.person_id
 where e.agreed_at is not null and e.lifted_at is null and p.restricted_at is null

-- INV-109 限制处理的人没有手机号、账号和没付的应缴单；期满的没有姓名和证件号
select p.id::text as what
  from erasure e join person p on p.id = e.person_id
 where e.agreed_at is not null and e.lifted_at is null
   and (p.phone is not null or exists (select from resident_person rp where rp.person_id = p.id)
        or exists (select from bill b where b.person_id = p.id and b.state = 'open')
        or e.let_go_at is not null and (p.name <> '' or p.id_number <> ''))

-- INV-125 资助款进出都在账上：到账的、退回的，一笔一笔对得上
select b.cause as what
  from booked b
  left join pledge_money m on m.household_id = b.household_id and m.cause = b.cause
  left join refund r on r.household_id = b.household_id and b.cause = 'refund:' || r.number || ':approved'
   and r.pledge is not null
 where coalesce(b.given, 0) <> coalesce(m.amount, -r.amount, 0)

-- INV-126 每笔资助：到账的、占用的、退回的，等于逐笔相加
select 'pledge ' || g.id as what
  from pledge g
 where g.taken <> (select coalesce(sum(m.amount), 0) from pledge_money m where m.pledge_id = g.id)
    or g.spoken <> (select coalesce(sum(s.amount), 0) from pledge_share s
                     where s.pledge_id = g.id and s.state in ('reserved', 'used'))
    or g.back <> (select coalesce(sum(r.amount), 0) from refund r
                   where r.pledge = g.id and r.state <> 'rejected'
                     and r.household_id in (select household_id from pledge_money where pledge_id = g.id))

-- INV-127 缴费单上资助的那几行：正在付的占着资助款，结清的用掉了，别的都没有占
select 'bill ' || coalesce(b.id, s.bill_id) as what
  from (select b.household_id, b.id, b.state, line.sponsored, coalesce(book.sponsored, 0) as booked, exists (
               select from pair p where p.household_id = b.household_id and p.bill_id = b.id and p.live) as live
          from bills b join line on line.household_id = b.household_id and line.bill_id = b.id
          left join book on book.household_id = b.household_id and book.item = b.id
         where line.sponsored > 0) b
  full join (select household_id, bill_id, sum(amount) filter (where state = 'reserved') as reserved,
                    sum(amount) filter (where state = 'used') as used
               from pledge_share where household_id between %(low)s and %(high)s group by household_id, bill_id) s
         on s.household_id = b.household_id and s.bill_id = b.id
 where b.id is null
    or coalesce(s.reserved, 0) <> case when b.state = 'open' and b.live then b.sponsored else 0 end
    or coalesce(s.used, 0) <> case b.state when 'settled' then b.sponsored else 0 end
    or b.booked <> case b.state when 'settled' then b.sponsored else 0 end

-- INV-128 资助款不超预算，不透支
select number as what from pledge where spoken > budget or spoken + back > taken or spoken < 0 or back < 0

-- INV-129 登记资助的人不自己同意；没有同意的不收钱、不资助；没有结束的不退钱
select g.number as what
  from pledge g join pledge_terms t on t.pledge_id = g.id
 where t.agreed_by = t.entered_by or (g.state in ('agreed', 'ended')) <> (t.agreed_by is not null)
    or (g.state in ('ended', 'dropped')) <> (t.ended_by is not null)
    or g.state in ('proposed', 'dropped') and g.taken + g.spoken > 0 or g.state <> 'ended' and g.back > 0
    or not exists (select from account a where a.code = 'sponsor:' || g.id) and t.agreed_by is not null
union all
select 'pledge ' || g.id from pledge g where not exists (select from pledge_terms t where t.pledge_id = g.id)

-- INV-96 渠道暂停的时候，没有开始新的付款
select a.number as what
  from attempt a join channel_pause p
    on p.gateway = a.gateway and a.started_at > p.paused_at + interval '1 minute'
   and a.started_at < coalesce(p.opened_at, 'infinity')

-- INV-97 每件没办结的投诉都有时限，过了时限的都响过铃
select c.gateway || ' ' || c.number as what
  from complaint c
 where c.ended_at is null
   and (c.answer_by <= c.came_at or c.end_by < c.answer_by
        or (c.end_by at time zone 'Asia/Shanghai')::date < %(today)s and not 'end_over' = any (c.rung)
        or (c.answer_by at time zone 'Asia/Shanghai')::date < %(today)s and c.answered_at is null
           and not 'answer_over' = any (c.rung))

-- INV-98 写下的回复都发出去了，或者正在发
select r.gateway || ' ' || r.number || ' ' || r.cause as what
  from complaint_reply r
 where r.state in ('pending', 'unknown') and r.next_try_at < %(wall)s - interval '10 minutes'

-- INV-99 投诉说的付款是账上的，退款是那一笔付款的
select c.gateway || ' ' || c.number as what
  from complaint c
 where c.payment is not null and not exists (
         select from payment p
          where p.household_id = c.household_id and p.number = c.payment and p.gateway = c.gateway)
    or c.refund is not null and not exists (
         select from refund r
          where r.household_id = c.household_id and r.number = c.refund and r.payment = c.payment)

-- INV-100 征缴年度一年接一年，最新的一年在征缴，账户齐全；应缴单和往年的登记都在开过的年度里
select 'year ' || y.year as what
  from levy_year y
 where y.closed_at is not null and not exists (select from levy_year n where n.year > y.year)
    or exists (select from levy_year f where f.year < y.year) and not exists (select from levy_year f where f.year = y.year - 1)
    or exists (select from unnest(array['fund:RES_PENSION', 'fund:RES_MEDICAL', 'treasury:RES_PENSION', 'treasury:RES_MEDICAL'])
                 as each (code) where not exists (select from account a where a.code = each.code || ':' || y.year))
union all
select 'bill ' || b.id from bills b where not exists (select from levy_year y where y.year = b.levy_year)
union all
select 'former ' || f.year
  from (select greatest((select max(levy_year) from former_person), (select max(levy_year) from former_enrolment),
                        (select max(levy_year) from former_category)) as year
        union all
        select least((select min(levy_year) from former_person), (select min(levy_year) from former_enrolment),
                     (select min(levy_year) from former_category))) f
 where f.year >= (select max(year) from levy_year) or f.year < (select min(year) from levy_year)

-- INV-101 医保局认定的往年参保年度都早于那一年度，不带金额，也没有缴费单
select 'determination ' || d.id as what
  from determination d
 where d.kind = 'enrolment_history'
   and (d.insurance <> 'RES_MEDICAL' or d.amount is not null or d.benefit_start is not null
        or (d.state = 'approved') <> (coalesce(cardinality(d.years), 0) > 0) or d.levy_year <= any (d.years)
        or exists (select from bill b where b.person_id = d.person_id and b.determination = d.id))

-- INV-117 申请核定的人不核定，撤回的申请没有人核过，也没有缴费单
select 'determination ' || d.id as what
  from determination d
 where d.requested_by in (d.decided_by, d.checked_by)
    or d.state = 'withdrawn'
       and (d.withdrawn_by is null or num_nonnulls(d.checked_by, d.decided_by, d.amount, d.years, d.benefit_start) > 0
            or exists (select from bill b where b.determination = d.id))

-- INV-118 反映的事各有办的局，答复的不是反映的人，有答复的才了结
select 'matter ' || id as what
  from matter
 where answered_by = by or taken_by = by or state = 'taken' and taken_by is null
    or state in ('answered', 'closed', 'reopened') and answered_by is null
    or (kind = 'NOT_LISTED') <> (person_id is null) or turn > 1 and answered_by is null

-- INV-133 没有人在同一张出生医学证明、同一个身份证号下登记两次；按证明登记的都有医保局的人办，不是申请的人
select 'person ' || p.id as what
  from person p left join birth_certificate c on c.person_id = p.id
 where p.id_type = 'BIRTH_CERT' and c.index is distinct from p.id_index and p.name <> ''
union all
select 'certificate ' || c.person_id
  from birth_certificate c join person p on p.id_index = c.index and p.id <> c.person_id
union all
select 'newborn ' || n.id
  from newborn n left join birth_certificate c on c.index = n.index left join person p on p.id = n.person_id
 where n.requested_by in (n.decided_by, n.checked_by)
    or n.state = 'registered' and (c.person_id is null and p.name <> '' or not exists (
         select from staff f where 'staff:' || f.login = n.decided_by))

-- INV-134 并成一个人的两行，停掉的一行没有有效的缴费单、没有正在付的钱，多交的在退；并号都有两个人办
select 'joining ' || j.id as what
  from joining j
 where j.state = 'done'
   and (j.asked_by = j.decided_by or not exists (select from staff f where 'staff:' || f.login = j.decided_by)
        or not exists (select from person p where p.id = j.kept_id and p.id_type = '01' and p.id_index = j.index)
           and exists (select from person p where p.id = j.kept_id and p.name <> ''))
union all
select 'bill ' || b.id
  from joining j join bill b on b.person_id = case j.kept_id when j.other_id then j.person_id else j.other_id end
 where j.state = 'done'
   and (b.state = 'open' or b.state = 'settled' and not exists (
          select from refund_bill rb join refund r using (household_id, number)
           where rb.household_id = b.household_id and rb.bill_id = b.id
             and (rb.live or r.applied_by = 'rule:united'))
        or exists (select from payment_bill pb where pb.household_id = b.household_id and pb.bill_id = b.id and pb.live))
union all
select 'person ' || p.id
  from joining j join person p on p.id = case j.kept_id when j.other_id then j.person_id else j.other_id end
 where j.state = 'done'
   and (p.restricted_at is null or exists (select from resident_person r where r.person_id = p.id))

-- INV-102 没交的应缴单上替居民付钱的单位，科目表里都有账户
select distinct receivable_of(l.part, l.payer, l.fund) as what
  from bills b join bill_line l on l.household_id = b.household_id and l.bill_id = b.id
 where b.state = 'open' and l.household_id between %(low)s and %(high)s and l.payer <> 'resident'
   and not exists (select from account a where a.code = receivable_of(l.part, l.payer, l.fund))

-- INV-112 缴费单上别的费，只有它那一年度和医保一起收的才有，账户齐全
select distinct 'bill ' || b.id || ' ' || l.fund as what
  from bills b join bill_line l on l.household_id = b.household_id and l.bill_id = b.id
 where l.household_id between %(low)s and %(high)s and l.fund <> b.insurance
   and not is_fund_beside(b.insurance, b.levy_year, b.determination, l.fund)

-- INV-24 户号只差前面的零的，不是两户都有人
select min(h.village_code) || ' ' || min(regexp_replace(h.number, '^0+([0-9]*)$', '\1')) as what
  from household h
 where h.number ~ '^[0-9]+$' and exists (select from person p where p.household_id = h.id)
 group by h.village_code, regexp_replace(h.number, '^0+([0-9]*)$', '\1') having count(*) > 1

-- INV-25 退了费以后，没有再开退掉那一项的凭证
select p.code as what
  from refund r join refund_bill rb using (household_id, number)
  join proof p on p.household_id = rb.household_id and rb.bill_id = any (p.bills)
 where r.state = 'paid' and p.issued_at > r.paid_at + interval '1 minute'

-- INV-87 撤回的，都是提出的人自己撤回的，撤回以后没有入账
select w.number as what
  from refund_step w join refund r using (household_id, number)
 where w.word = 'withdrawn' and (r.state <> 'rejected' or w.by <> r.applied_by or exists (
   select from entry e where e.household_id = r.household_id and e.cause = 'refund:' || r.number || ':approved'))
union all
select w.cause
  from suspense_step w join suspense s using (household_id, cause)
 where s.solution = 'applied' and w.word = 'withdrawn' and not exists (
   select from suspense_step p where p.household_id = w.household_id and p.cause = w.cause and p.word = 'proposed'
      and p.step > w.step)
union all
select 'discrepancy:' || w.discrepancy
  from discrepancy_step w
 where w.word = 'withdrawn' and exists (
   select from entry e where e.household_id = 0 and e.cause = 'discrepancy:' || w.discrepancy || ':booked')
   and not exists (select from discrepancy_step p where p.discrepancy = w.discrepancy and p.word = 'proposed'
                      and p.step > w.step)

-- INV-90 发出的短信，到时候都去问了送到没有
select cause as what from notice where ask_at < %(wall)s - interval '10 minutes'

-- INV-91 说送到了的，都发过，说得出由哪一家送、几时送到
select cause as what from notice
 where rank = 3 and (sent_at is null or channel is null or delivered_at is null
   or delivered_at < sent_at - interval '1 hour')

-- INV-92 没送到的，换一家再送，或者交给代办员，没有停在那里的
select cause as what from notice where rank = 2 and failures ? channel and ask_at is null

-- INV-93 在微信里付的，都记了是谁的微信；别的都没有记
select number as what from attempt where by_user <> payer_kept

-- INV-103 没有人认得的订单号收到的钱，以后也没有再把这个号给别人
select p.number as what
  from suspense s join payment p on p.household_id = s.household_id and p.number = s.number
 where s.doubt = 'unknown_number'

-- INV-104 接手的数据库，都办过重新开门
select 'timeline ' || now_at.timeline as what
  from (select case when pg_is_in_recovery() then 1
                    else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline) now_at
 where now_at.timeline > (select coalesce(max(timeline), 1) from reopening)

-- INV-105 恢复以后的新户，没有用丢失时段里可能给出去的户号
select 'household ' || h.id as what
  from reopening r join household h on h.id > r.last_household and h.id < r.first_household

-- INV-135 移交了的清册，手里的这一版由该审的各家都审过，每家另一个人，出清册的人不审
select 'roster ' || r.id || ' version ' || r.no as what
  from roster r
 where r.state in ('ISSUED_TO_TOWN', 'WITH_AGENT', 'POSTED') and not coalesce(roster_signed(r.id, r.no, r.medical), false)

-- INV-136 清册的每一版，摘要和人数就是它的行；登记在村里的人，不是列上了，就是写明了为什么没有列
select 'roster ' || v.roster_id || ' version ' || v.no as what
  from roster_version v
 where v.digest <> roster_digest(v.roster_id, v.no)
    or v.people <> (select count(*) from roster_row w where (w.roster_id, w.no) = (v.roster_id, v.no))
    or v.registered <> v.people + coalesce((select sum(value::bigint) from jsonb_each_text(v.left_out)), 0)

-- INV-137 每份清册的版本一号不缺；每一行都在有的版本上
select 'roster ' || r.id as what
  from roster r
 where r.no <> (select count(*) from roster_version v where v.roster_id = r.id and v.no <= r.no)
    or exists (select from roster_version v where v.roster_id = r.id and v.no > r.no)
union all
select distinct 'roster ' || w.roster_id || ' version ' || w.no
  from (select distinct roster_id, no from roster_row) w
 where not exists (select from roster_version v where (v.roster_id, v.no) = (w.roster_id, w.no))

-- INV-138 张贴过的每一版都审过；公示从张贴后的零点算起，满三天
select 'roster ' || p.roster_id || ' version ' || p.no as what
  from roster_posting p join roster r on r.id = p.roster_id
 where not coalesce(roster_signed(p.roster_id, p.no, r.medical), false)
    or p.ends_at - p.starts_at <> interval '72 hours' or p.starts_at <= p.posted_at
    or (p.starts_at at time zone 'Asia/Shanghai')::time <> '00:00'

-- INV-139 上报了的、生效了的清册，每一条异议都答复过，提的人也告诉了
select 'objection ' || o.id as what
  from roster_objection o join roster r on r.id = o.roster_id
 where r.state in ('REPORTED', 'TAX_CONFIRMED', 'EFFECTIVE') and (o.told_at is null or o.answered_at is null)

-- INV-140 生效的清册，公示满三天以后才生效，由两个不同的人确认
select 'roster ' || r.id || ' version ' || r.effective_no as what
  from roster r
 where r.effective_no is not null and not coalesce(roster_hung(r.id, r.effective_no, 'EFFECTIVE'), false)
    or r.state = 'EFFECTIVE' and r.effective_no is distinct from r.no

-- INV-141 代办员收的每一项，出码时人都在那个村当时生效的那一版清册上
select a.number || ' bill ' || pb.bill_id as what
  from attempt a join pair pb on (pb.household_id, pb.number) = (a.household_id, a.number)
  join bill b on (b.household_id, b.id) = (pb.household_id, pb.bill_id)
 where pb.roster_id is not null and not exists (
   select from roster r join roster_row w on (w.roster_id, w.no, w.person_id) = (r.id, pb.roster_no, b.person_id)
     join roster_step s on (s.roster_id, s.no, s.what) = (r.id, pb.roster_no, 'EFFECTIVE')
    where r.id = pb.roster_id and (r.levy_year, r.insurance) = (b.levy_year, b.insurance)
      and s.at <= a.ordered_at + interval '1 minute'
      and not exists (select from roster_step l where l.roster_id = r.id and l.what = 'EFFECTIVE' and l.id > s.id
                         and l.at < a.ordered_at - interval '1 minute'))

-- INV-142 规定代办员照清册收的年度，他收的每一项都写明了是哪一版清册上的
select a.number || ' bill ' || pb.bill_id as what
  from attempt a join pair pb on (pb.household_id, pb.number) = (a.household_id, a.number)
  join bill b on (b.household_id, b.id) = (pb.household_id, pb.bill_id)
 where a.by_roster @> to_jsonb(b.levy_year) and pb.roster_id is null and is_of_roster(b)

-- INV-143 参保缴费公示的每一版，摘要和人数就是它的行
select 'list ' || v.closing_id || ' version ' || v.no as what
  from closing_version v
 where v.digest <> closing_digest(v.closing_id, v.no)
    or (v.done, v.owing) <> (select count(*) filter (where w.done), count(*) filter (where not w.done)
                               from closing_row w where (w.closing_id, w.no) = (v.closing_id, v.no))

-- INV-144 公示的那一版由另一个人复核过；张贴的都是复核过的版本
select 'list ' || c.id || ' version ' || c.agreed_no as what
  from closing c
 where c.agreed_no is not null and not exists (
         select from closing_step s join closing_version v on (v.closing_id, v.no) = (s.closing_id, s.no)
          where (s.closing_id, s.no, s.what) = (c.id, c.agreed_no, 'AGREED') and s.by <> v.drawn_by)
union all
select 'list ' || h.closing_id || ' version ' || h.no
  from closing_step h
 where h.what = 'HUNG' and not exists (
         select from closing_step a where (a.closing_id, a.no, a.what) = (h.closing_id, h.no, 'AGREED') and a.at <= h.at)

-- INV-145 张贴都在公示的日子里，到期以后才撤下；日子从零点到零点
select 'list ' || c.id as what
  from closing c left join closing_step s on s.closing_id = c.id
 where (c.starts_at at time zone 'Asia/Shanghai')::time <> '00:00' or (c.ends_at at time zone 'Asia/Shanghai')::time <> '00:00'
    or s.what = 'HUNG' and (s.at < c.starts_at or s.at >= c.ends_at) or s.what = 'TAKEN_DOWN' and s.at < c.ends_at
 group by 1

-- INV-146 公示的姓名里没有数字；每一行都在有的版本上
select 'list ' || w.closing_id || ' version ' || w.no as what
  from closing_row w
 where w.masked ~ '[0-9]' or not exists (
         select from closing_version v where (v.closing_id, v.no) = (w.closing_id, w.no))
 group by 1

-- INV-147 每个代办员账上的现金，等于开出没作废的收据减去银行已经收到的
select 'agent ' || coalesce(held.agent_id, booked.agent_id) as what
  from (select agent_id, sum(amount)::bigint as amount from (
          select agent_id, amount from receipt where state <> 'VOIDED'
          union all select agent_id, -arrived from cash_batch) each group by agent_id) held
  full join (select split_part(account, ':', 3)::bigint as agent_id, sum(amount)::bigint as amount
               from posting where starts_with(account, 'cash:agent:') group by account) booked using (agent_id)
 where coalesce(held.amount, 0) <> coalesce(booked.amount, 0)

-- INV-148 收据号不断号、不重用：每一本从第一号到下一号之前，每号一张
select 'book ' || b.id as what
  from receipt_book b left join receipt r on r.book_id = b.id
 group by b.id having count(r.serial) <> b.next - b.first or coalesce(min(r.serial), b.first) <> b.first
    or coalesce(max(r.serial), b.next - 1) <> b.next - 1 or bool_or(r.village_code <> b.village_code)

-- INV-149 一张收据一笔账：金额是那张缴费单的；作废的有冲回的一笔，没作废的没有
select 'receipt ' || r.serial as what
  from receipt r
  left join bill b on b.household_id = r.household_id and b.id = r.bill_id
  left join posting p on p.household_id = r.household_id and p.cause = 'receipt:cash:' || r.serial
   and (p.account, p.item) = ('cash:agent:' || r.agent_id, r.bill_id)
  left join posting v on v.household_id = r.household_id and v.cause = 'receipt:cash:' || r.serial || ':voided'
   and (v.account, v.item) = ('cash:agent:' || r.agent_id, r.bill_id)
 where p.amount is distinct from r.amount or b.personal_due is distinct from r.amount
    or (r.state = 'VOIDED') <> (v.amount is not null) or v.amount <> -r.amount
    or r.state <> 'VOIDED' and b.state not in ('settled', 'refunded') or r.state = 'VOIDED' and b.state <> 'withdrawn'
union all
select p.cause from posting p where starts_with(p.account, 'cash:agent:') and p.amount > 0 and not exists (
   select from receipt r where 'receipt:cash:' || r.serial = p.cause and r.household_id = p.household_id)

-- INV-150 每一批存款是它的那些收据；到账的不比它多
select 'batch ' || c.id as what
  from cash_batch c left join receipt r on r.batch_id = c.id
 group by c.id having count(r.serial) <> c.count or coalesce(sum(r.amount), 0) <> c.total or c.arrived > c.total
    or bool_or(r.agent_id <> c.agent_id)

-- INV-151 收现金的村，那一天镇街开着
select 'receipt ' || r.serial as what
  from receipt r where r.replaces is null and not cash_is_on(r.village_code, (r.issued_at at time zone 'Asia/Shanghai')::date, r.issued_at)

-- What must hold at all times, each a query that finds no row. The numbers are those of docs/proof.md; `what` names the
-- thing that is wrong by our own numbers and causes, never a person. %(wall)s is the system clock, for what must have
-- happened by now. Read by payments/invariants.py; `flask --app wsgi ledger check` runs them.

-- INV-01 全部借方等于全部贷方
select 'difference ' || sum(amount) as what from posting having sum(amount) <> 0

-- INV-02 每笔分录至少两行，借贷相等
select e.cause as what
  from entry e
  left join (select household_id, cause, count(*) as lines, sum(amount) as difference from posting
              group by household_id, cause) p on p.household_id = e.household_id and p.cause = e.cause
 where coalesce(p.lines, 0) < 2 or p.difference <> 0

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
with told as (
  select household_id, 'receipt:' || gateway || ':' || reference as cause from payment where state = 'paid'
  union all
  select household_id, cause from suspense
   where amount > 0 and starts_with(cause, 'receipt:') and gateway in ('wechat', 'alipay', 'unionpay')
), receipt as (
  select household_id, cause from entry where cause ~ '^receipt:(wechat|alipay|unionpay):[^:]+$'
)
select cause as what from receipt full join told using (household_id, cause)
 where receipt.household_id is null or told.household_id is null
union all
select cause from told group by cause having count(*) > 1

-- INV-05 入账金额等于到款金额
with told as (
  select household_id, 'receipt:' || gateway || ':' || reference as cause, amount from payment where state = 'paid'
  union all
  select household_id, cause, amount from suspense where amount > 0 and starts_with(cause, 'receipt:')
), receipt as (
  select household_id, cause, sum(amount) as amount from posting
   where starts_with(account, 'clearing:') and amount > 0 and starts_with(cause, 'receipt:')
   group by household_id, cause
)
select cause as what from receipt join told using (household_id, cause) where receipt.amount <> told.amount

-- INV-06 一人一险一年只有一份有效缴费
select 'person ' || person_id || ' ' || insurance || ' ' || levy_year as what
  from bill where state = 'settled' group by person_id, insurance, levy_year having count(*) > 1

-- INV-07 已付的支付单，金额等于它的缴费单个人应缴之和
select p.number as what
  from payment p join payment_bill pb using (household_id, number)
  join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
 where p.state = 'paid' group by p.household_id, p.number, p.amount having sum(b.personal_due) <> p.amount

-- INV-08 已付的支付单结清了它的缴费单；多付的有待退款记录
select p.number as what
  from payment p join payment_bill pb using (household_id, number)
  join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
 where p.state = 'paid' and b.settled_by is distinct from 'receipt:' || p.gateway || ':' || p.reference
union all
select p.number from payment p
 where p.state = 'surplus' and not exists (
   select from suspense s where s.household_id = p.household_id
      and s.cause = 'receipt:' || p.gateway || ':' || p.reference)

-- INV-09 缴费单结清，必有结清它的分录
select 'bill ' || b.id as what
  from bill b left join posting p on p.household_id = b.household_id and p.cause = b.settled_by and p.item = b.id
 where b.state in ('settled', 'refunded') and p.item is null

-- INV-10 钱表相符：每张缴费单的明细等于账本，逐人逐险
with line as (
  select household_id, bill_id, sum(amount) as due, sum(amount) filter (where payer <> 'resident') as others
    from bill_line group by household_id, bill_id
), book as (
  select household_id, item, -coalesce(sum(amount) filter (where starts_with(account, 'fund:')), 0) as due,
         coalesce(sum(amount) filter (where starts_with(account, 'receivable:')), 0) as others
    from posting where item is not null group by household_id, item
)
select 'bill ' || b.id as what
  from bill b left join line on line.household_id = b.household_id and line.bill_id = b.id
  left join book on book.household_id = b.household_id and book.item = b.id
 where coalesce(book.due, 0) <> case b.state when 'settled' then line.due else 0 end
    or coalesce(book.others, 0) <> case b.state when 'settled' then coalesce(line.others, 0) else 0 end

-- INV-11 退款不超过实付，退款状态与账本一致
select receipt as what from refund where state <> 'rejected'
 group by household_id, receipt having sum(amount) > min(paid)
union all
select r.number from refund r
 where (r.state in ('approved', 'paying', 'paid', 'abnormal', 'failed')) <> exists (
   select from entry e where e.household_id = r.household_id and e.cause = 'refund:' || r.number || ':approved')
union all
select r.number from refund r
 where r.state = 'paid' and r.amount is distinct from (
   select sum(p.amount) from posting p
    where p.household_id = r.household_id and starts_with(p.account, 'refunds:')
      and p.cause in ('refund:' || r.number || ':paid', 'refund:' || r.number || ':external'))

-- INV-12 多付的钱一分钟内申请退款
select s.cause as what from suspense s
 where s.doubt = 'surplus' and s.solved_at is null and s.created_at < %(wall)s - interval '60 s'
   and not exists (select from refund r where r.household_id = s.household_id and r.receipt = s.cause)

-- INV-14 每笔缴费成功有一条通知
select p.number as what
  from payment p left join notice n on n.household_id = p.household_id
       and n.cause = 'payment:' || p.number || ':' || p.state
 where p.state in ('paid', 'surplus') and p.memo ? 'notice' and n.cause is null

-- INV-15 同一缴费单没有两笔进行中的支付
select 'bill ' || bill_id as what from payment_bill where live group by household_id, bill_id having count(*) > 1
union all
select pb.number from payment_bill pb join payment p using (household_id, number)
 where pb.live <> (p.state in ('created', 'pending', 'unknown', 'closing'))

-- INV-16 代办员手中现金不为负
select 'agent ' || coalesce(item::text, '?') || ' ' || sum(amount) as what
  from posting where account = 'cash:agents' group by item having sum(amount) < 0

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
 where state in ('created', 'pending', 'unknown', 'closing')
   and (next_query_at is null or next_query_at < %(wall)s - interval '120 s')
union all
select number from refund
 where state in ('approved', 'paying') and (next_query_at is null or next_query_at < %(wall)s - interval '120 s')

-- INV-21 一笔退款只冲一次，冲回的正是原来的缴费单
select r.number as what
  from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
 where rb.live
   and (b.state = 'refunded') <> (r.state in ('approved', 'paying', 'paid', 'abnormal', 'failed'))

-- INV-22 缴费单个人应缴等于本人那几行之和
select 'bill ' || b.id as what
  from bill b
  left join (select household_id, bill_id, sum(amount) as mine from bill_line where payer = 'resident'
              group by household_id, bill_id) l on l.household_id = b.household_id and l.bill_id = b.id
 where b.personal_due <> coalesce(l.mine, 0)

-- INV-23 没有过期价格的缴费入账（以渠道成功时间为准）
select 'bill ' || id as what from bill
 where state = 'settled' and settled_at >= price_until and starts_with(settled_by, 'receipt:')

-- INV-28 对账单逐行相加等于它的合计
select s.gateway || ' ' || s.day as what
  from statement s
  left join (select gateway, day, count(*) as lines, sum(amount) filter (where movement = 'payment') as received,
                    sum(amount) filter (where movement = 'refund') as refunded
               from statement_row group by gateway, day) r on r.gateway = s.gateway and r.day = s.day
 where s.state <> 'waiting'
   and (s.lines <> coalesce(r.lines, 0) or s.received <> coalesce(r.received, 0) or s.refunded <> coalesce(r.refunded, 0))

-- INV-39 通知不积压
select cause as what from notice where rank < 2 and next_try_at < %(wall)s - interval '10 minutes'

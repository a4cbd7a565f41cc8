"""Statements about the database that return no row while all is well, beside the truths of
payments/truths/invariants.sql: what only a whole season shows, and what a clock that the director turns keeps those
from seeing."""

ALWAYS = {
    "a bill is paid at most once": """
        select item from posting p where cause like 'receipt:%' and account like 'clearing:%' and item is not null
         group by household_id, item
        having count(*) > 1""",
    "an open payment has a question to come": """
        select number from payment
         where state in ('created', 'pending', 'unknown', 'closing', 'left') and next_query_at is null""",
    "a refund under way has a question to come": """
        select number from refund where state in ('approved', 'paying') and next_query_at is null""",
    "every message was applied, perhaps when it was repeated": """
        select number from received r where result like 'failed%' and not exists (
            select from received a where a.household_id = r.household_id and a.number = r.number
               and a.result in ('paid', 'surplus', 'suspense', 'again'))""",
    "every doubt has an owner": "select cause from suspense where owner = ''",
    "one notice for a payment that settled": """
        select number from payment p where state in ('paid', 'surplus') and memo ? 'notice' and (
            select count(*) from notice n where n.household_id = p.household_id
               and n.cause = 'payment:' || p.number || ':' || p.state) <> 1""",
    "nobody has paid the same twice, wherever he lives": """
        select person_id, insurance, levy_year, count(*) from bill where state = 'settled'
         group by 1, 2, 3 having count(*) > 1""",
    "no word of a bureau takes a cover away": """
        select r.number from refund r join refund_bill rb using (household_id, number)
         where r.why = 'late_entitlement' and rb.replacement is null""",
    "no notice for a payment that did not": """
        select cause from notice n where cause like 'payment:%' and not exists (
            select from payment p where p.household_id = n.household_id
               and n.cause = 'payment:' || p.number || ':' || p.state)""",
}
AT_THE_END = {  # when everything has had its time
    "no payment is open but what a doubt holds": """
        select number from payment p
         where state in ('created', 'pending', 'unknown', 'closing', 'left') and not exists (
            select from suspense s where s.household_id = p.household_id and s.number = p.number)""",
    "no refund is under way": """
        select number from refund where state in ('applied', 'accepted', 'reviewed', 'approved', 'paying')""",
    "surplus was asked for": """
        select cause from suspense s where doubt = 'surplus' and not exists (
            select from refund r where r.household_id = s.household_id and r.receipt = s.cause)""",
    "every notice was sent or given up": "select cause from notice where rank < 2",
    "nothing rests among the refunds but what a person must look at": """
        select gateway from (select split_part(account, ':', 2) as gateway, -sum(amount) as owed from posting
                              where account like 'refunds:%' group by 1) b
         where owed <> coalesce((select sum(amount) from refund r
                                  where r.gateway = b.gateway and r.state in ('abnormal', 'failed')), 0)""",
    "nothing but receipts, refunds and a statement's fees is in clearing": """
        select cause from posting where account ~ '^clearing:(wechat|alipay|unionpay)$'
           and cause !~ '^(receipt|refund):' and cause !~ '^statement:[a-z]+:[0-9-]+:fees$'""",
}

"""What is kept how long and by which clause, and what is let go of when its time is over: some hundred rows a
transaction, counted, never whose. The database knows the shortest times itself (app/access/retention.sql). Every table
stands in one line; a test says which does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Row, text

from app.flows.parts import Parts

BATCH = 500
BOOKS = "《会计档案管理办法》附表二：会计凭证、账簿三十年"
LISTS = "《会计档案管理办法》附表二：银行对账单等十年"
LOGS = "《网络安全法》第二十一条：网络日志不少于六个月"
SHORT = "《个人信息保护法》第十九条：为实现处理目的所必要的最短时间"
PROVES = "《个人信息保护法》第五十一条、第五十六条：安全措施，处理情况记录至少三年"
INSURED = "《社会保险法》第七十四条：完整准确记录参保人权益，参保期间一直要用"


@dataclass(frozen=True)
class Line:
    """One kind of thing. `let_go`: its name in the database, which goes `after` so long; empty: it is kept."""

    what: str
    tables: tuple[str, ...]
    kept: str
    clause: str
    let_go: str = ""
    after: timedelta | None = None


LINES = (
    Line(
        "账本和凭证：分录、应缴单、付款、退款、待查款、日结和证明、缴费凭证、资助",
        (
            *("account", "entry", "posting", "sealed_day", "sealed_total", "certificate", "closing_request", "proof"),
            *("bill", "bill_line", "payment", "payment_bill", "payment_move", "unasked_refund", "suspense"),
            *("refund", "refund_bill", "refund_move", "refund_number", "refund_step", "refund_transfer"),
            *("suspense_step", "discrepancy", "discrepancy_step", "outside_file", "outside_row", "statement_match"),
            *("channel_pause", "demand", "demand_line", "demand_payment"),
            *("sponsor", "pledge", "pledge_terms", "pledge_person", "pledge_money", "pledge_share", "pledge_payment"),
        ),
        "三十年；本系统不删，到期由档案部门鉴定",
        BOOKS,
    ),
    Line("支付平台的回调原文（已记账的）", ("received",), "三十年，和凭证一起", BOOKS),
    Line("支付平台的对账单", ("statement", "statement_row", "statement_piece"), "十年；本系统不删", LISTS),
    Line(
        "参保登记和核定",
        (
            *("person", "household", "enrolment", "category", "town", "village", "determination"),
            *(
                "determination_move",
                "name_correction",
                "phone_correction",
                "import_batch",
                "register_change",
                "trail_key",
            ),
            *("levy_year", "former_person", "former_enrolment", "former_category", "helped_category"),
            *("police_word", "conflict", "paid_elsewhere", "birth_certificate", "newborn", "joining"),
        ),
        "参保期间，以及凭证还在的时候",
        INSURED,
    ),
    Line(
        "谁看过完整号码、谁做过什么、删过什么",
        ("disclosure", "act", "kept_day", "let_go", "reseal", "glass", "glass_act", "lost_second"),
        "不删",
        PROVES,
    ),
    Line(
        "征收清册、参保缴费公示：每一版、谁审的谁移交的、张贴和异议；名单上只有遮住的姓名",
        (
            *("roster", "roster_version", "roster_row", "roster_odd", "roster_step"),
            *("roster_posting", "roster_change", "roster_objection"),
            *("closing", "closing_version", "closing_row", "closing_step"),
        ),
        "三十年；本系统不删，到期由档案部门鉴定",
        BOOKS,
    ),
    Line(
        "村里收的现金：收据本、每张收据、哪天开、存银行的凭条和照片",
        ("receipt_book", "cash_switch", "receipt", "cash_batch", "cash_slip"),
        "三十年；本系统不删，到期由档案部门鉴定",
        BOOKS,
    ),
    Line("备份、恢复演练、恢复后重新开门的记录", ("backup", "backup_run", "drill", "reopening"), "不删", LOGS),
    Line("工作人员和代办员的账号", ("staff", "agent", "agent_village"), "在岗期间；停用后姓名随凭证保存", BOOKS),
    Line("同意隐私说明的记录", ("consent",), "不删", PROVES),
    Line(
        "居民账号：手机号、微信、为谁缴费",
        ("resident_account", "resident_person", "barred", "subscription"),
        "三年没有用过就清空",
        SHORT,
        "unused_accounts",
        timedelta(days=1095),
    ),
    Line(
        "通知里的手机号和微信",
        ("notice",),
        "发出半年后清空；发了什么、发没发到保留",
        LOGS,
        "notice_addresses",
        timedelta(days=180),
    ),
    Line(
        "付款里备着发通知的手机号和微信",
        ("payment",),
        "付款完结半年后清空",
        SHORT,
        "payment_addresses",
        timedelta(days=180),
    ),
    Line(
        "投诉人写的话、电话、图片",
        ("complaint", "complaint_line", "complaint_reply", "complaint_hint", "complaint_poll"),
        "办结三年后清空；何时投诉、何时办结保留",
        "《民法典》第一百八十八条：诉讼时效三年",
        "complaint_words",
        timedelta(days=1095),
    ),
    Line(
        "申请核定时写的话、拍的材料",
        ("determination_evidence",),
        "办结、申请满三年后删除；申请和核定的结果保留",
        "《民法典》第一百八十八条：诉讼时效三年",
        "evidence",
        timedelta(days=1095),
    ),
    Line(
        "给没有身份证号的孩子申请登记时填的姓名、出生证编号和照片",
        ("newborn",),
        "办结三年后清空；谁申请、谁登记、结果保留",
        "《民法典》第一百八十八条：诉讼时效三年",
        "newborn_words",
        timedelta(days=1095),
    ),
    Line(
        "部门报来、只核对过没有确认的名单",
        ("special_batch", "special_row"),
        "三十天后作废，各行删除",
        SHORT,
        "helped_previews",
        timedelta(days=30),
    ),
    Line(
        "部门名单里没有办成的行写着的姓名和证件号",
        ("special_row",),
        "名单办结一年后清空，每一行都有了结果、没有人点办结的也一样；办成的行确认时就清空。哪一份名单、哪一行、什么结果保留",
        SHORT,
        "helped_rows",
        timedelta(days=365),
    ),
    Line("部门怎么写它的名单", ("special_layout",), "一直用，没有个人信息", "——"),
    Line(
        "清册公示时提的异议：写的话、怎么联系、答复",
        ("roster_objection",),
        "提出三年后清空；哪份清册、哪天提的、怎么定的保留",
        "《民法典》第一百八十八条：诉讼时效三年",
        "objection_words",
        timedelta(days=1095),
    ),
    Line(
        "反映的事：写的话和答复",
        ("matter",),
        "答复三年后清空；反映了哪一件、哪天答复的保留",
        "《民法典》第一百八十八条：诉讼时效三年",
        "matter_words",
        timedelta(days=1095),
    ),
    Line(
        "限制处理的人（已按要求删除的）的姓名和证件号",
        ("person", "erasure"),
        "限制以后三十一年清空（最后一张凭证当年年底起满三十年）；登记的一行和编号保留",
        BOOKS,
        "restricted_names",
        timedelta(days=11323),
    ),
    Line(
        "办公端交来的文件（参保登记、名单、退回表）的内容",
        ("upload_piece",),
        "交来九十天后删；谁、何时、哪份、结果如何保留",
        SHORT,
        "upload_pieces",
        timedelta(days=90),
    ),
    Line(
        "看办端文件时页面上列出的行（姓名、证件号遮住的）",
        ("office_job",),
        "办完九十天后清空；多少行、结果如何保留",
        SHORT,
        "shown_rows",
        timedelta(days=90),
    ),
    Line(
        "代办员走访时记的：哪一户为什么还没交、哪天再去",
        ("door_note",),
        "记下一年后删",
        SHORT,
        "door_notes",
        timedelta(days=365),
    ),
    Line("谁交来过哪份文件、叫办了什么、结果如何", ("upload", "office_job"), "不删", PROVES),
    Line("验签不过的消息", ("received",), "九十天后只留摘要", SHORT, "refused_words", timedelta(days=90)),
    Line("防重复提交的号", ("request_key",), "三十天", SHORT, "request_keys", timedelta(days=30)),
    Line(
        "登录状态、短信验证码、限次的计数", ("session", "login_code", "tally"), "到期即删，计数两天（每小时清）", SHORT
    ),
    Line("后台没办成的事", ("trouble",), "七天（每小时清）", SHORT),
    Line("不含个人信息的", ("book_check", "business_clock"), "只留最近一次", "——"),
)


@dataclass(frozen=True)
class Gone:
    """How many rows of a line went, or would go."""

    line: Line
    rows: int


def let_go(parts: Parts, *, dry: bool = False) -> Sequence[Gone]:
    """Everything whose time is over, line by line; `dry` counts only."""
    return [Gone(line, _due(parts, line) if dry else _all_of(parts, line)) for line in LINES if line.after]


def gone_lately(parts: Parts, *, most: int = 50) -> Sequence[Row]:
    """What went, a day and a line at a time, the latest first: on (a day), what, rows."""
    query = text(
        "select ((at + :ahead) at time zone 'Asia/Shanghai')::date as on, what, sum(rows) as rows from let_go"
        " group by 1, 2 order by 1 desc, 2 limit :most"
    )
    with parts.reading() as connection:
        return connection.execute(query, {"most": most, "ahead": parts.clocks.ahead()}).all()


def named() -> Mapping[str, str]:
    """A name in the database → what it is."""
    return {line.let_go: line.what for line in LINES if line.let_go}


def table() -> str:
    """All lines as docs/retention.md shows them."""
    rows = ["| 什么 | 保存多久 | 依据 | 表 |", "|---|---|---|---|"]
    rows += [f"| {each.what} | {each.kept} | {each.clause} | {'、'.join(each.tables)} |" for each in LINES]
    return "\n".join(rows) + "\n"


def _due(parts: Parts, line: Line) -> int:
    counted = text("select count(*) from over_time(:what, :before, null)")
    with parts.reading() as connection:
        return int(connection.execute(counted, _asked(parts, line)).scalar_one())


def _all_of(parts: Parts, line: Line) -> int:
    gone = 0
    while True:
        with parts.engine.begin() as connection:
            went = connection.execute(
                text("select let_go_of(:what, :before, :most)"), _asked(parts, line) | {"most": BATCH}
            ).scalar_one()
        gone += went
        if went < BATCH:
            break
    if gone:
        structlog.get_logger("keep").info("let_go", what=line.let_go, rows=gone)
    return gone


def _asked(parts: Parts, line: Line) -> dict[str, object]:
    assert line.after is not None, "only what goes is asked about"
    return {"what": line.let_go, "before": parts.clocks.wall() - line.after}

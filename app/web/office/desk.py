"""Login, logout, and the page with the doors that a role may open."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from app.access.roles import ROLES, may
from app.flows.enter.session import WrongLogin, leave_elsewhere, log_in_staff
from app.web.door.access import Answer, anybody, drop, guarded_by, here, needs, officer, visitor
from app.web.door.browser import keep, typed_login
from app.web.door.parts import parts
from app.web.office.waiting import waiting

bp = APIBlueprint("desk", __name__, enable_openapi=False)
OFFICES = frozenset(
    {
        "desk",
        "day",
        "office_refunds",
        "office_determinations",
        "office_newborns",
        "office_joinings",
        "office_matters",
        "office_suspense",
        "office_agents",
        "office_cash",
        "office_channels",
        "counter",
        "office_counter",
        "office_complaints",
        "office_glass",
        "office_people",
        "office_policy",
        "office_years",
        "office_helped",
        "office_helped_send",
        "office_police",
        "office_elsewhere",
        "office_conflicts",
        "office_bills",
        "office_sponsors",
        "office_rosters",
        "office_draws",
        "office_objections",
        "office_closings",
        "office_progress",
        "office_registers",
        "audit",
        "own_office",
    }
)
DOORS: tuple[tuple[str, str, str, str], ...] = (  # permission, endpoint, name, what is there
    ("day.see", "day.days", "对账与日结", "渠道、银行、国库、部门与账逐笔核对，处理差异，日结"),
    ("refund.see", "office_refunds.listed", "退费", "申请、受理、复核、审批，退不回去的怎么办"),
    ("determination.see", "office_determinations.listed", "核定", "补缴、新生儿、代缴核实、参保年度：谁申请的，等谁定"),
    ("newborn.see", "office_newborns.listed", "新生儿登记", "还没有身份证号的孩子：用出生医学证明登记"),
    ("joining.see", "office_joinings.listed", "并号", "户口下来了的孩子：出生证登记的和身份证号并成一个人"),
    ("matter.see", "office_matters.listed", "反映的事", "名字错了、在外地交了、付了没显示：哪天以前要答复"),
    ("elsewhere.see", "office_elsewhere.listed", "在外地交了的", "核实过的人：不算应参保、不催；哪天要再问，收回"),
    ("suspense.see", "office_suspense.listed", "待查款", "对不上的钱：谁负责，哪天以前查清"),
    ("complaint.see", "office_complaints.all_of_them", "投诉", "微信、支付宝转来的投诉：还剩多久，怎么回复"),
    ("channel.see", "office_channels.listed", "收款渠道", "哪个渠道暂停了、为什么，暂停和恢复"),
    ("people.see", "office_people.ask", "找人", "要交多少、付过什么、通知到了没有"),
    ("helped.see", "office_helped.listed", "部门名单", "民政、残联等部门报的特殊人群：办成多少，谁没有办成、为什么"),
    ("bill.see", "office_bills.listed", "代缴账单", "部门替居民交的钱：哪些还没有出账单，收到多少"),
    ("sponsor.see", "office_sponsors.listed", "资助", "村集体、单位、个人替别人交医保：谁出多少钱、到账没有、还剩多少"),
    ("roster.see", "office_rosters.listed", "征收清册", "各村的缴费人清册：出、审、移交、公示，到哪一步、晚没晚"),
    ("progress.see", "office_progress.table", "参保缴费进度", "各村应参保多少、办好多少，还没办的名单"),
    ("agent.agree", "office_agents.listed", "代办员", "本镇街的代办员：按名单开账号、停用、手机丢了换动态码"),
    (
        "cash.see",
        "office_cash.held",
        "现金和收据",
        "代办员手里有多少现金、多久了，存银行没有，收据本，哪个村哪天可以收",
    ),
    ("register.see", "office_registers.listed", "参保登记文件", "交文件、先看后导入、退回表，交过的每一份"),
    ("police.see", "office_police.listed", "公安名单", "死亡、注销、迁出、迁入、免缴老人：先看后导入，退回表"),
    (
        "conflict.see",
        "office_conflicts.listed",
        "登记冲突",
        "局里、公安、登记说法不一的人：归谁定，哪天以前，定以前先不收",
    ),
    (
        "policy.see",
        "office_policy.listed",
        "缴费标准",
        "每一年谁交多少、哪天截止、政府替谁交，和上一年比改了什么，哪一年在征缴",
    ),
    ("trace.see", "audit.ask", "一块钱的去向", "一笔付款从开单到入库的每一步，谁办的"),
    ("trace.see", "audit.now", "现在有什么不对", "过期的差异和待查款、退不出去的、没送到的"),
    (
        "glass.see",
        "office_glass.listed",
        "应急查看",
        "一个人申请、另一个人打开，只看不办，最长一小时，每步都记",
    ),
    ("disclosure.see", "audit.read", "谁看过完整号码", "每一次查看、每一份名单，谁、为什么"),
    ("disclosure.see", "audit.kept", "留多久、清了什么", "每种信息保存多久、依据哪一条、每天清了多少"),
    ("disclosure.see", "audit.acts", "谁登录、谁找过谁", "登录、找人、开账号、换密码，谁、什么时候、从哪里"),
    ("disclosure.see", "audit.rights", "哪天谁有什么权限", "任何一天结束时，有哪些账号、什么权限、管哪里"),
)


@bp.get("/login")
@guarded_by(anybody)
def login() -> Answer:
    """Login and password."""
    held = visitor()
    if held is not None and held.officer is not None:
        return redirect(url_for("desk.home"), 303)
    return render_template("office/login.html", problem=None)


@bp.post("/login")
@guarded_by(anybody)
def enter() -> Answer | tuple[Answer, int]:
    """A new session with a new token, or the same words for whatever was wrong."""
    try:
        entry = log_in_staff(parts(), typed_login(), former=visitor())
    except WrongLogin as error:
        return render_template("office/login.html", problem=error.sentence()), error.status
    return keep(redirect(url_for("desk.home"), 303), entry)


@bp.post("/others/end")
@needs("office.see")
def end_others() -> Answer:
    """Out of every other computer, at once."""
    return redirect(url_for("own_office.office_account", ended=leave_elsewhere(parts(), here())), 303)


@bp.post("/logout")
@needs("office.see", first=True)
def logout() -> Answer:
    """Out, at once and for good."""
    return drop(redirect(url_for("desk.login"), 303))


@bp.get("/")
@needs("office.see")
def home() -> Answer:
    """Who he is, what waits for him, and what his role may open."""
    who = officer()
    name = parts().vault.open(who.name, bound_to=f"staff.name:{who.login}")
    return render_template("office/home.html", name=name, role=ROLES[who.role], waiting=waiting(parts(), who))


@bp.app_context_processor
def _inner() -> dict[str, object]:
    """The doors of whoever looks, for the navigation of each page of an office."""
    try:
        held = visitor() if request.blueprint in OFFICES else None
    except SQLAlchemyError:  # the page that says that the database is away has no doors
        held = None
    if held is None or held.officer is None:
        return {}
    role = held.officer.role
    return {"doors": [(end, name, words) for permission, end, name, words in DOORS if may(role, permission)]}

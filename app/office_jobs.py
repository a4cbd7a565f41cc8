"""What the office process does, by kind (app/flows/hand_in/work.py), and which permission each needs; the database says
the same by role (`office_asks`, app/access/office.sql)."""

from collections.abc import Mapping

from app.flows.conflicts.jobs import look_at_police, take_police
from app.flows.hand_in.work import Kind
from app.flows.helped.jobs import check_list, take_list
from app.flows.register.look_first import look_first
from app.flows.register.take_in import take_in
from app.flows.roster.close import draw_closings
from app.flows.roster.draw import draw_rosters
from app.flows.roster.print_all import print_all
from app.flows.staffing.jobs import look_at_list, make_agents, renew_second

KINDS: Mapping[str, Kind] = {
    "register_look": Kind("register.bring", look_first),
    "register_take": Kind("register.bring", take_in),
    "police_look": Kind("police.bring", look_at_police),
    "police_take": Kind("police.bring", take_police),
    "helped_check": Kind("helped.send", check_list),
    "helped_take": Kind("helped.send", take_list),
    "agents_look": Kind("agent.keep", look_at_list),
    "agents_make": Kind("agent.keep", make_agents),
    "agents_renew": Kind("agent.keep", renew_second),
    "roster_draw": Kind("roster.draw", draw_rosters),
    "closing_draw": Kind("roster.draw", draw_closings),
    "closing_print": Kind("roster.hand", print_all),
}

"""`flask --app wsgi GROUP VERB`: what operators and the scheduler run."""

from app.cli.agent import agent
from app.cli.bench import bench
from app.cli.clock import clock
from app.cli.correction import correction
from app.cli.db import db
from app.cli.demo import demo
from app.cli.determination import determination
from app.cli.gateways import gateways
from app.cli.ledger import ledger
from app.cli.notice import notice
from app.cli.people import people_group
from app.cli.policy import policy
from app.cli.recon import recon
from app.cli.refund import refund
from app.cli.registry import registry
from app.cli.sheet import sheet
from app.cli.stack import stack
from app.cli.staff import staff
from app.cli.suspense import suspense
from app.cli.worker import worker

GROUPS = (
    stack,
    demo,
    db,
    worker,
    clock,
    policy,
    people_group,
    registry,
    correction,
    sheet,
    determination,
    agent,
    staff,
    gateways,
    notice,
    refund,
    suspense,
    recon,
    ledger,
    bench,
)

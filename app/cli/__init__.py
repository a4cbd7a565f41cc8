"""`flask --app wsgi GROUP VERB`: what operators and the scheduler run."""

from app.cli.bench import bench
from app.cli.clock import clock
from app.cli.db import db
from app.cli.policy import policy
from app.cli.worker import worker

GROUPS = (db, worker, clock, policy, bench)

"""What the framework does anew for every request and ours does once: with the same outcome."""

import pytest
from flask import Flask, url_for

from app.policy.facts import Insurance

SAID = (
    ("resident.due", {}),
    ("resident.confirm", {"item": ["a:RES_MEDICAL@2022", "b:RES_PENSION@2022"]}),
    ("resident.sheet", {"person": "p1", "insurance": Insurance.RES_MEDICAL, "tier.p1@2022": 30000}),
    ("resident.level", {"person": "p1", "year": 2022, "of": None}),
    ("resident.level", {"person": "p1", "year": True}),
    ("resident.level", {"person": "p1", "year": 1}),
    ("home.type_size", {"size": "large", "back": "/due?" + "x" * 300}),
    ("resident.due", {"_anchor": "main"}),
    ("resident.due", {"_external": True}),
    ("static", {"filename": "page.css"}),
)


def test_an_address_is_written_as_flask_writes_it(running):
    """Twice each: made, and kept."""
    for root in ("", "/under"):
        with running.app.test_request_context(environ_base={"SCRIPT_NAME": root}):
            for endpoint, values in SAID * 2:
                assert url_for(endpoint, **values) == Flask.url_for(running.app, endpoint, **values)


def test_an_address_nobody_has_is_refused_each_time(running):
    """What was refused is not kept either."""
    with running.app.test_request_context():
        for _ in range(2):
            with pytest.raises(Exception, match="nowhere"):
                url_for("resident.nowhere")

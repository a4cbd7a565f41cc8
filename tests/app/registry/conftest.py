"""Joined parts with an empty register and a few villages."""

from datetime import datetime

import pytest
from sqlalchemy import Engine

from app.flows.levy import Levy
from app.flows.parts import Clocks, Parts
from app.flows.register.district import put_places
from app.policy.year import YEARS
from app.registry.synthetic import TOWNS, villages
from core.vault import Vault
from tests.builders import DEPARTMENTS, NOON


class _FifthOfNovember(Clocks):
    """A business clock that stands at noon of 5 November 2021."""

    def now(self) -> datetime:
        return NOON


@pytest.fixture
def parts(engine: Engine, vault: Vault) -> Parts:
    """The system without gateways; the villages of the synthetic district are known."""
    joined = Parts(
        engine=engine,
        vault=vault,
        levy=Levy(engine, YEARS, 2022),
        clocks=_FifthOfNovember(engine, movable=True),
        gateways={},
        channels={},
        public_url="http://127.0.0.1",
        help_phone="0632-0000000",
        issuer="峄城区税务局",
        departments=DEPARTMENTS,
    )
    put_places(joined, TOWNS, [(place.code, place.name) for place in villages(14)])
    return joined

"""The limits of P4, in the same server: a JSON answer of the same size and nothing else; and our one statement through
the driver's own pool, its rows as JSON."""

import os
from functools import cache
from hashlib import sha256

from flask import Flask, Response, jsonify, request
from psycopg_pool import ConnectionPool

from app.registry.find import BY_SESSION
from core.clock import utc_now

app = Flask(__name__)
ANSWER = {"people": [{"person": "x" * 22, "text": "应交 320 元。" * 60}] * 3}


@app.get("/livez")
def livez() -> Response:
    """For the starter."""
    return jsonify(status="ok")


@app.get("/due")
def due() -> Response:
    """Only JSON."""
    return jsonify(ANSWER)


@app.get("/api/v1/due")
def rows() -> Response:
    """Only what the database says: bytes as hex, nothing opened, nothing reckoned."""
    token = request.headers["Authorization"].removeprefix("Bearer ")
    with _pool().connection() as connection:
        found = connection.execute(BY_SESSION, ([2022], [], sha256(token.encode()).digest(), utc_now())).fetchall()
    return jsonify([[each.hex() if isinstance(each, bytes) else each for each in row] for row in found])


@cache
def _pool() -> ConnectionPool:
    """As many as the process has threads; nothing around a statement."""
    return ConnectionPool(
        os.environ["DATABASE_URL"], min_size=4, max_size=8, kwargs={"autocommit": True, "prepare_threshold": 1}
    )

"""A page to read /api/openapi.json with: Swagger UI as its package keeps it, served by us."""

from pathlib import Path

import flask_swagger_ui
from apiflask import APIBlueprint
from flask import render_template

from app.web.door.access import Answer

bp = APIBlueprint(
    "api_reader",
    __name__,
    enable_openapi=False,
    static_folder=str(Path(flask_swagger_ui.__file__).parent / "dist"),
    static_url_path="/viewer",
)


@bp.get("/")
def read() -> Answer:
    """Every request and answer of the interface, to try with a session's token."""
    return render_template("api.html")

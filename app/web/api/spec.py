"""/api/openapi.json: what the framework leaves out of it, filled in."""

from typing import Any

from apiflask import APIFlask
from pydantic.json_schema import models_json_schema

from app.web.api.told import ErrorTold, Told

_ERROR = {"$ref": f"#/components/schemas/{ErrorTold.__name__}"}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
    "description": "Made by the client for one wish: the same key gives the same payment or refund.",
}
_AFTER = {
    "name": "after",
    "in": "query",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "Where the next page begins: what the former page said.",
}


def register(app: APIFlask) -> None:
    """Bodies are required, errors have our shape, the token's place is told."""
    app.config.update(
        AUTO_404_RESPONSE=False,
        SECURITY_SCHEMES={"session": {"type": "http", "scheme": "bearer"}},
        SPEC_PROCESSOR_PASS_OBJECT=False,
        VALIDATION_ERROR_SCHEMA=_ERROR,
        HTTP_ERROR_SCHEMA=_ERROR,
    )
    app.spec_processor(_complete)


def _complete(spec: dict[str, Any]) -> dict[str, Any]:
    told = sorted(Told.__subclasses__(), key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in told], ref_template="#/components/schemas/{model}"
    )
    spec.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    for path in ("/api/v1/payments", "/api/v1/refunds"):
        spec["paths"][path]["post"].setdefault("parameters", []).append(_KEY)
    spec["paths"]["/api/v1/payments"]["get"].setdefault("parameters", []).append(_AFTER)
    for operations in spec["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            if "422" in operation.get("responses", {}):
                operation["responses"]["422"]["content"] = {"application/json": {"schema": _ERROR}}
    return spec

"""The document the API publishes, held against the API: odd calls in hundreds, no 500, no answer it does not name."""

from collections import Counter

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import integers, one_of, text
from schemathesis import GenerationMode, checks

from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.web.test_api import Api
from tests.refunding import pay

EXAMPLES = 24
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


def test_it_answers_what_it_says(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    number = pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    code = api.post(f"/payments/{number}/proof", {}).json["code"]
    real = {"person": person, "number": number, "insurance": "RES_MEDICAL", "code": code}
    document = schemathesis.openapi.from_wsgi("/api/openapi.json", running.app)
    operations = [found.ok() for found in document.get_all_operations()]
    seen = Counter()

    for operation in sorted(operations, key=lambda each: each.method == "delete"):  # what takes away comes last
        _hammer(operation, api, real, seen)

    assert len(operations) > 20 and {200, 201, 400, 401, 404, 409, 422} <= set(seen)


def _hammer(operation, api, real, seen):
    ends = (operation.method.upper(), operation.path) in {("DELETE", "/api/v1/session"), ("POST", "/api/v1/session")}
    headers = {} if ends else {"Authorization": f"Bearer {api.token}"}
    asked = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)),
        tier=one_of(integers().map(str), text()),
    )
    def hammer(case, tier):
        asked.append(case)
        if len(asked) % 2:  # half of the calls are about something that is there
            case.path_parameters |= {name: real[name] for name in case.path_parameters if name in real}
            case.body = _about(case.body, real)
        if operation.path.endswith(("/due", "/sheet/{insurance}")):
            case.query = {**(case.query or {}), f"tier.{real['person']}": tier}
        answer = case.call(headers=headers)
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    hammer()


def _about(body, real):
    """A body that names somebody names somebody real."""
    if isinstance(body, dict):
        return {key: real["person"] if key == "person" else _about(value, real) for key, value in body.items()}
    return [_about(each, real) for each in body] if isinstance(body, list) else body

"""The limit of P4: the same server, a JSON answer of the same size, nothing else."""

from flask import Flask, Response, jsonify

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

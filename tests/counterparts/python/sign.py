"""Signs webhooks with Twilio's own Python library; the same lines in and out as node/sign.mjs."""

import json
import sys

from twilio.request_validator import RequestValidator


def with_body_hash(validator: RequestValidator, url: str, body: str) -> str:
    address, hash_mark, fragment = url.partition("#")
    separator = "&" if "?" in address else "?"
    return f"{address}{separator}bodySHA256={validator.compute_hash(body)}{hash_mark}{fragment}"


def grouped(pairs: list[list[str]]) -> dict[str, str | list[str]]:
    """A name that occurs more than once has a list of values."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: many if len(many) > 1 else many[0] for name, many in values.items()}


def answer(question: dict) -> dict[str, str]:
    validator = RequestValidator(question["token"])
    url, body = question["url"], question.get("body")
    signed = url if body is None else with_body_hash(validator, url, body)
    return {"url": signed, "signature": validator.compute_signature(signed, grouped(question.get("params", [])))}


for line in sys.stdin:
    if line.strip():
        print(json.dumps(answer(json.loads(line))), flush=True)

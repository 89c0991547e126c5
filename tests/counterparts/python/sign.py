"""Signs webhooks with Twilio's own Python library; the same lines in and out as node/sign.mjs."""

import json
import sys

from twilio.request_validator import RequestValidator


def with_body_hash(validator: RequestValidator, url: str, body: str) -> str:
    address, hash_mark, fragment = url.partition("#")
    separator = "&" if "?" in address else "?"
    return f"{address}{separator}bodySHA256={validator.compute_hash(body)}{hash_mark}{fragment}"


class Form(dict):
    """A form as the library expects one from a web framework: `getall` has every value of a name."""

    def __init__(self, pairs: list[list[str]]):
        super().__init__(pairs)
        self.pairs = pairs

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


def answer(question: dict) -> dict[str, str]:
    validator = RequestValidator(question["token"])
    url, body = question["url"], question.get("body")
    signed = url if body is None else with_body_hash(validator, url, body)
    return {"url": signed, "signature": validator.compute_signature(signed, Form(question.get("params", [])))}


for line in sys.stdin:
    if line.strip():
        print(json.dumps(answer(json.loads(line))), flush=True)

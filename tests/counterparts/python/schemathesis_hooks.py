"""What Schemathesis does not know by itself: how lines of JSON are sent."""

import json

import schemathesis


@schemathesis.serializer("application/jsonl")
def lines_of_json(_context, value):
    if isinstance(value, (bytes, str)):
        return value
    lines = value if isinstance(value, list) else [value]
    return "".join(json.dumps(line) + "\n" for line in lines)

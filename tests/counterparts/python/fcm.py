"""Judges bodies of FCM's projects.messages.send by Google's discovery document, more strictly than the server does.

One JSON line in: a body. One JSON line out: a list of what is wrong with it, a line each.
"""

import importlib.util
import json
import pathlib
import re
import sys

MAX_BYTES = 4096
RESERVED = re.compile(r"^(from|message_type|google\..*|gcm\.notification\..*)$")
DURATION = re.compile(r"^\d+(\.\d{1,9})?s$")
NUMBER = re.compile(r"^\d+$")
INTEGERS = {"int32": 31, "uint32": 32}
# Headers of APNs and of Web Push, which the document leaves open.
APNS_HEADERS = {
    "apns-priority": re.compile(r"^(1|5|10)$"),
    "apns-push-type": re.compile(r"^(alert|background)$"),
    "apns-expiration": NUMBER,
    "apns-collapse-id": re.compile(r"^.{1,64}$"),
}
WEBPUSH_HEADERS = {"TTL": NUMBER, "Urgency": re.compile(r"^(very-low|low|normal|high)$")}


def discovery() -> dict:
    """The document lies in the package; the package itself would ask for its dependencies."""
    folder = importlib.util.find_spec("googleapiclient").submodule_search_locations[0]
    return json.loads((pathlib.Path(folder) / "discovery_cache/documents/fcm.v1.json").read_text())


DOCUMENT = discovery()
SCHEMAS = DOCUMENT["schemas"]


def by_schema(value, schema: dict, at: str) -> list[str]:
    if "$ref" in schema:
        return by_schema(value, SCHEMAS[schema["$ref"]], at)
    match schema["type"]:
        case "any":
            return []
        case "object":
            return of_object(value, schema, at)
        case "array":
            return of_array(value, schema, at)
        case "string":
            return of_string(value, schema, at)
        case "boolean":
            return [] if isinstance(value, bool) else [f"{at}: no boolean"]
        case "number":
            return [] if isinstance(value, (int, float)) and not isinstance(value, bool) else [f"{at}: no number"]
        case "integer":
            return of_integer(value, schema, at)
        case other:
            return [f"{at}: the document says {other}, which nobody here understands"]


def of_object(value, schema: dict, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: no object"]
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = []
    for key, item in value.items():
        known = properties.get(key, others)
        found += [f"{at}.{key}: unknown"] if known is None else by_schema(item, known, f"{at}.{key}")
    return found


def of_array(value, schema: dict, at: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{at}: no array"]
    return [line for number, item in enumerate(value) for line in by_schema(item, schema["items"], f"{at}[{number}]")]


def of_string(value, schema: dict, at: str) -> list[str]:
    if not isinstance(value, str):
        return [f"{at}: no string"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value} is none of the document's values"]
    if schema.get("format") == "google-duration" and not DURATION.match(value):
        return [f"{at}: {value} is no duration"]
    return []


def of_integer(value, schema: dict, at: str) -> list[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        return [f"{at}: no integer"]
    return [] if abs(value) < 2 ** INTEGERS[schema["format"]] else [f"{at}: out of range"]


def headers(given: dict, known: dict, at: str) -> list[str]:
    wrong = [name for name, value in given.items() if name not in known or not known[name].match(value)]
    return [f"{at}.{name}: not such a header" for name in wrong]


def by_prose(message: dict) -> list[str]:
    """What the document and its guides say in words."""
    found = []
    if len(message.keys() & {"token", "fid", "topic", "condition"}) != 1:
        found.append("message: not exactly one target")
    if {"android", "androidV2"} <= message.keys():
        found.append("message: both android and androidV2")
    data = message.get("data", {})
    found += [f"message.data.{key}: reserved" for key in data if RESERVED.match(key)]
    if sum(len(key.encode()) + len(str(value).encode()) for key, value in data.items()) > MAX_BYTES:
        found.append("message.data: too large")
    if len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
        found.append("message: too large")
    return found + by_apple(message) + by_browsers(message)


def by_apple(message: dict) -> list[str]:
    apns = message.get("apns", {})
    given, aps = apns.get("headers", {}), apns.get("payload", {}).get("aps", {})
    found = headers(given, APNS_HEADERS, "message.apns.headers")
    background = "alert" not in aps and "notification" not in message
    if background and (given.get("apns-priority") != "5" or given.get("apns-push-type") != "background"):
        found.append("message.apns.headers: a background notification must be of priority 5 and say what it is")
    if background and aps.keys() & {"badge", "sound"}:
        found.append("message.apns.payload.aps: a background notification must have neither badge nor sound")
    return found


def by_browsers(message: dict) -> list[str]:
    webpush = message.get("webpush", {})
    found = headers(webpush.get("headers", {}), WEBPUSH_HEADERS, "message.webpush.headers")
    link = webpush.get("fcmOptions", {}).get("link", "https://")
    return found + ([] if link.startswith("https://") else ["message.webpush.fcmOptions.link: not https"])


def violations(body) -> list[str]:
    method = DOCUMENT["resources"]["projects"]["resources"]["messages"]["methods"]["send"]
    found = by_schema(body, method["request"], "body")
    # What has the wrong shape is not read any further.
    return found or (by_prose(body["message"]) if "message" in body else ["body: no message"])


for line in sys.stdin:
    if line.strip():
        print(json.dumps(violations(json.loads(line))), flush=True)

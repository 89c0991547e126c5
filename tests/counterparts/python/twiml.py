"""Reads TwiML and builds it again with Twilio's own library, which knows the verbs, what may stand in which, and their attributes.

One JSON string in: a document. One JSON list out: what is wrong with it, one text each; none if the library writes the same.
"""

import inspect
import json
import re
import sys
import xml.etree.ElementTree as ET

from twilio.twiml.voice_response import VoiceResponse

# What the library calls the text inside a verb.
TEXTS = ("message", "name", "number", "sip", "identity")


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def build(parent, element, troubles: list[str]) -> None:
    method = getattr(parent, snake(element.tag), None)
    if method is None:
        troubles.append(f"{element.tag} may not stand in {type(parent).__name__}")
        return
    known = inspect.signature(method).parameters
    attributes = {snake(name): value for name, value in element.attrib.items()}
    troubles += [f"{element.tag} has no attribute {name}" for name in attributes if name not in known]
    texts = (name for name in known if name in TEXTS)
    wanted = (name for name in texts if element.text or known[name].default is inspect.Parameter.empty)
    text = {name: element.text or "" for name in wanted}
    child = method(**text, **attributes)
    for inner in element:
        build(child, inner, troubles)


def judge(document: str) -> list[str]:
    troubles: list[str] = []
    root = ET.fromstring(document.encode())
    if root.tag != "Response":
        return [f"{root.tag} is not Response"]
    response = VoiceResponse()
    for element in root:
        build(response, element, troubles)
    ours, theirs = ET.canonicalize(document), ET.canonicalize(str(response))
    if ours != theirs:
        troubles.append(f"the library writes {theirs}")
    return troubles


for line in sys.stdin:
    if line.strip():
        print(json.dumps(judge(json.loads(line))), flush=True)

"""A WebSocket client for the agent's live events: PyPI's `websockets`.

One JSON line in: something to do with a connection, by a number of the asker's own choice. One JSON line out: what came of it.

  {"do": "open", "id": 1, "url": "ws://…", "headers": {…}}   -> {"opened": true} or {"refused": status, "body": "…"}
  {"do": "next", "id": 1, "within": seconds}                 -> {"text": "…"}, {"closed": code, "reason": "…"} or {}
  {"do": "send", "id": 1, "text": "…"}                       -> {}
  {"do": "ping", "id": 1, "within": seconds}                 -> {"pong": true} or {}
  {"do": "close", "id": 1}  {"do": "drop", "id": 1}          -> {}; the second without a word to the server
"""

import json
import socket
import sys

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

OPEN = {}


def open_connection(number, url, headers):
    try:
        # Pings of the server are answered; it sends none of its own.
        client = connect(url, additional_headers=headers, ping_interval=None, proxy=None, close_timeout=1)
    except InvalidStatus as refused:
        response = refused.response
        return {"refused": response.status_code, "body": (response.body or b"").decode()}
    OPEN[number] = client
    return {"opened": True}


def next_frame(number, within):
    try:
        text = OPEN[number].recv(timeout=within)
        return {"text": text if isinstance(text, str) else repr(text)}
    except TimeoutError:
        return {}
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
        return {"closed": code, "reason": closed.rcvd.reason if closed.rcvd else ""}


def send(number, text):
    try:
        OPEN[number].send(text)
    except ConnectionClosed:
        pass
    return {}


def ping(number, within):
    try:
        return {"pong": True} if OPEN[number].ping().wait(within) else {}
    except ConnectionClosed:
        return {}


def close(number):
    OPEN.pop(number).close()
    return {}


def drop(number):
    client = OPEN.pop(number)
    client.socket.shutdown(socket.SHUT_RDWR)
    return {}


def answer(question):
    number = question["id"]
    match question["do"]:
        case "open":
            return open_connection(number, question["url"], question["headers"])
        case "next":
            return next_frame(number, question["within"])
        case "send":
            return send(number, question["text"])
        case "ping":
            return ping(number, question["within"])
        case "close":
            return close(number)
        case "drop":
            return drop(number)


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

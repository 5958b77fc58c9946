"""Plays a case over a socket of the program, spoken to in bytes."""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple
from urllib.parse import urlsplit

from case import Exchange, Expected, unescape

Kept = Dict[str, bytes]


@dataclass
class Received:
    """An answer as it comes in. Its status is -1 where none came."""

    status: int = -1
    reason: str = ""
    fields: List[Tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def ask(endpoint: str, exchange: Exchange, kept: Kept) -> List[str]:
    """Sends a request, keeps what is to be kept of the answer, and tells what of it is
    not as expected."""
    received = _receive(endpoint, _head(exchange, kept))
    if exchange.expected.closed:
        return [] if received.status == -1 else [f"expected no answer, received {received.status}"]
    wrong = _differences(exchange.expected, received, kept)
    for name, around in exchange.keeps:
        part = _part(received.body, around)
        if part is None:
            wrong.append(f"body: nothing in it to keep as {name}")
        else:
            kept[name] = part
    if received.status == 200 and exchange.method == "PUT":
        kept["token"] = received.body
    return wrong


def _head(exchange: Exchange, kept: Kept) -> bytes:
    fields = [(name, _fill(unescape(value), kept)) for name, value in exchange.fields]
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", b"169.254.169.254"))
    lines = [b" ".join([exchange.method.encode(), _fill(unescape(exchange.target), kept), b"HTTP/1.1"])]
    lines += [name.encode() + b": " + value for name, value in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _receive(endpoint: str, head: bytes) -> Received:
    """Reads until the server closes, and takes the answer apart without an HTTP
    library, so that nothing is hidden."""
    url = urlsplit(endpoint)
    with socket.create_connection((url.hostname, url.port), timeout=20) as stream:
        stream.sendall(head)
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    if not answer:
        return Received()
    lines, empty, body = answer.partition(b"\r\n\r\n")
    assert empty, f"a head ends with an empty line: {answer!r}"
    status, *rest = lines.decode("ascii").split("\r\n")
    version, code, reason = status.split(" ", 2)
    assert version == "HTTP/1.1", status
    fields = [(name, value) for name, _, value in (line.partition(": ") for line in rest)]
    return Received(int(code), reason, fields, body)


def _part(body: bytes, around: Optional[str]) -> Optional[bytes]:
    if around is None:
        return body
    before, _, after = around.partition("*")
    start = body.find(before.encode())
    if start < 0:
        return None
    start += len(before.encode())
    end = body.find(after.encode(), start)
    return None if end < 0 else body[start:end]


def _fill(text: bytes, kept: Kept) -> bytes:
    for name, value in kept.items():
        text = text.replace(f"{{{name}}}".encode(), value)
    return text


def _like(pattern: str, value: str) -> bool:
    """Whether a value fits a pattern in which `*` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL) is not None


def _differences(expected: Expected, received: Received, kept: Kept) -> List[str]:
    wrong: List[str] = []

    def differ(what: str, wanted: object, found: object) -> None:
        wrong.append(f"{what}: expected {wanted!r}, received {found!r}")

    if expected.status != received.status:
        differ("status", expected.status, received.status)
    if expected.reason is not None and expected.reason != received.reason:
        differ("reason", expected.reason, received.reason)
    names = [name for name, _ in received.fields]
    if expected.whole_head and [name for name, _ in expected.fields] != names:
        differ("header fields", [name for name, _ in expected.fields], names)
    for name, value in expected.fields:
        found = next((other for known, other in received.fields if known == name), None)
        if found is None or not _like(value, found):
            differ(name, value, found)
    for name in expected.absent:
        if name.lower() in map(str.lower, names):
            differ(name, None, "one")
    body = received.body
    if expected.body is not None and _fill(expected.body, kept) != body:
        differ("body", _fill(expected.body, kept), body)
    if expected.pattern is not None and not _like(expected.pattern, body.decode("utf-8", "replace")):
        differ("body", f"like {expected.pattern}", body)
    for text in expected.contains:
        if text not in body:
            differ("body", b"with " + text, body)
    for lacked in expected.lacks:
        if _fill(lacked.encode(), kept) in body:
            differ("body", f"without {lacked}", body)
    if expected.length is not None and expected.length != len(body):
        differ("length of the body", expected.length, len(body))
    if expected.digest is not None and expected.digest != hashlib.sha256(body).hexdigest():
        differ("SHA-256 of the body", expected.digest, hashlib.sha256(body).hexdigest())
    return wrong

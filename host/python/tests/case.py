"""Case files: `tests/README.md` of the repository says what each line means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import List, Optional, Tuple, Union

TESTS = Path(__file__).resolve().parents[3] / "tests"


@dataclass
class Expected:
    status: int = 0
    reason: Optional[str] = None
    closed: bool = False
    whole_head: bool = False
    fields: List[Tuple[str, str]] = field(default_factory=list)
    absent: List[str] = field(default_factory=list)
    body: Optional[bytes] = None
    pattern: Optional[str] = None
    contains: List[bytes] = field(default_factory=list)
    lacks: List[str] = field(default_factory=list)
    length: Optional[int] = None
    digest: Optional[str] = None


@dataclass
class Exchange:
    line: int
    method: str
    target: str
    fields: List[Tuple[str, str]] = field(default_factory=list)
    times: int = 1
    expected: Expected = field(default_factory=Expected)
    # Names, and the text around what is kept.
    keeps: List[Tuple[str, Optional[str]]] = field(default_factory=list)


@dataclass
class Describe:
    """The instance anew, in TOML."""

    toml: str


Step = Union[Exchange, Describe, timedelta, datetime]


@dataclass
class Case:
    name: str
    rule: str
    toml: str = ""
    steps: List[Step] = field(default_factory=list)


def names() -> List[str]:
    return sorted(path.stem for path in (TESTS / "cases").glob("*.http"))


def read(name: str) -> Case:
    """Raises ValueError for a line that means nothing: what is not understood is not
    left out."""
    lines = (TESTS / "cases" / f"{name}.http").read_text(encoding="utf-8").split("\n")
    case = Case(name, lines[0].lstrip("# "))
    included = ""
    for number, line in enumerate((line.rstrip("\r") for line in lines), 1):
        last = case.steps[-1] if case.steps else None
        exchange = last if isinstance(last, Exchange) else None
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("= include "):
            included = (TESTS / line[len("= include ") :]).read_text(encoding="utf-8")
        elif line.startswith("= "):
            if case.steps and not isinstance(last, Describe):
                last = Describe("")
                case.steps.append(last)
            if isinstance(last, Describe):
                last.toml += line[2:] + "\n"
            else:
                case.toml += line[2:] + "\n"
        elif line.startswith("@ "):
            case.steps.append(_time(line[2:]))
        elif exchange and line.startswith("<"):
            _expect(exchange.expected, line)
        elif exchange and line.startswith("* "):
            exchange.times = int(line[2:])
        elif exchange and line.startswith("> "):
            kept, _, around = line[2:].partition(" from ")
            exchange.keeps.append((kept, around or None))
        elif exchange and not exchange.expected.status and (found := re.fullmatch(r"([^ ]+?): (.*)", line)):
            exchange.fields.append((found[1], found[2]))
        elif " " in line:
            method, _, target = line.partition(" ")
            case.steps.append(Exchange(number, method, target))
        elif exchange and line.endswith(":"):
            exchange.fields.append((line[:-1], ""))
        else:
            raise ValueError(f"{name}.http:{number}: {line}")
    case.toml += included
    return case


def _time(text: str) -> Union[timedelta, datetime]:
    if not text.startswith("+"):
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    units = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}
    parts = re.findall(r"(\d+)(ms|s|m|h)", text)
    if "".join(number + unit for number, unit in parts) != text[1:].replace(" ", ""):
        raise ValueError(f"no time: {text}")
    return sum((timedelta(**{units[unit]: int(number)}) for number, unit in parts), timedelta())


def _expect(expected: Expected, line: str) -> None:
    def text(prefix: str) -> str:
        rest = line[len(prefix) :]
        return rest[1:] if rest.startswith(" ") else rest

    if line.startswith("<<"):
        more = unescape(text("<<"))
        expected.body = more if expected.body is None else expected.body + b"\n" + more
    elif line.startswith("<*"):
        expected.pattern = text("<*") if expected.pattern is None else f"{expected.pattern}\n{text('<*')}"
    elif line.startswith("<~ "):
        expected.contains.append(unescape(text("<~")))
    elif line.startswith("<! "):
        expected.lacks.append(text("<!"))
    elif line.startswith("<# "):
        length, *digest = text("<#").split()
        expected.length, expected.digest = int(length), digest[0] if digest else None
    elif line.startswith("< ! "):
        expected.absent.append(line[len("< ! ") :])
    elif line.startswith("< ") and expected.status:
        name, _, value = line[2:].partition(": ")
        expected.fields.append((name, value))
    elif line == "< closed":
        expected.closed, expected.status = True, -1
    elif line.startswith("< "):
        status = line[2:]
        expected.whole_head = status.startswith("HTTP/1.1 ")
        code, _, reason = status[len("HTTP/1.1 ") :].partition(" ") if expected.whole_head else status.partition(" ")
        expected.status, expected.reason = int(code), reason or None
    else:
        raise ValueError(f"no expectation: {line}")


_ESCAPES = {"t": b"\t", "n": b"\n", "r": b"\r", "\\": b"\\"}


def unescape(text: str) -> bytes:
    """`\\t`, `\\n`, `\\r`, `\\\\` and `\\xHH` as bytes."""
    pieces = re.split(r"\\(x[0-9a-fA-F]{2}|[tnr\\])", text)
    escaped = (_ESCAPES.get(piece) or bytes.fromhex(piece[1:]) for piece in pieces[1::2])
    plain = (piece.encode() for piece in pieces[0::2])
    result = next(plain)
    for escape, rest in zip(escaped, plain):
        result += escape + rest
    return result

"""What arguments may be. What a description says is the program's to judge."""

from __future__ import annotations

import math
import os
import re
from datetime import datetime, timedelta, timezone
from typing import Any, List, Mapping, Sequence, Union

Scenario = Union[str, "os.PathLike[str]"]
Span = Union[timedelta, float]

# Flags of the program that the module sets itself, and the argument by which.
_ALWAYS = ("--control", "--log")
_BY_ARGUMENT = {
    "--instance": "instance",
    "--http-tokens": "http_tokens",
    "--clock-start": "paused_at",
    "--clock-paused": "paused_at",
}


def kind(name: str, value: object, expected: str, *kinds: type) -> None:
    """Raises :class:`TypeError` unless a value is of one of these kinds."""
    # A truth is a number, too, and never meant as one.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def number(name: str, value: object, expected: str) -> None:
    """Raises unless a value is a finite number."""
    kind(name, value, expected, int, float)
    assert isinstance(value, (int, float))
    if not math.isfinite(value):
        raise ValueError(f"{name} must be {expected}, not {value}")


def text(name: str, value: str, otherwise: str) -> str:
    """A description or a change as text, which the name of a file is not."""
    if re.fullmatch(r"[^\n={}#]+\.(toml|json)", value.strip()):
        instead = otherwise.format(value.strip())
        raise ValueError(f"{name} must be TOML or JSON text, and {value!r} names a file: {instead}")
    return value


def plain(name: str, value: Any) -> Any:
    """A value as JSON has it. Raises :class:`TypeError` for what JSON does not have."""
    if isinstance(value, Mapping):
        for key in value:
            kind(f"a name in {name}", key, "a text", str)
        return {key: plain(f"{name}[{key!r}]", each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(f"{name}[{index}]", each) for index, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}, which JSON does not have")
    if value is None or isinstance(value, (str, int, float)):
        return value
    hint = '; a time is a text: "2026-10-01T00:00:00Z"' if isinstance(value, datetime) else ""
    raise TypeError(f"{name} is of the type {type(value).__name__}, which JSON does not have{hint}")


def scenarios(value: Union[Scenario, Sequence[Scenario]]) -> List[str]:
    """The names and paths of scenarios."""
    expected = "the name of a scenario, a pathlib.Path, or a list of these"
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    kind("scenario", value, expected, list, tuple)
    for each in value:
        kind("scenario", each, expected, str, os.PathLike)
    return [os.path.abspath(each) if isinstance(each, os.PathLike) else each for each in value]


def options(value: Sequence[str], given: Sequence[str]) -> List[str]:
    """Flags of ``imds run``, beside those that the arguments of these names set."""
    expected = 'a list of flags such as ["--log-format", "json"]'
    kind("options", value, expected, list, tuple)
    for each in value:
        kind("options", each, f"{expected}, each a text", str)
        flag = each.split("=", 1)[0]
        if flag in _ALWAYS:
            raise ValueError(f"options has {flag}, which imds.serve sets itself, as it does {' and '.join(_ALWAYS)}")
        if _BY_ARGUMENT.get(flag) in given:
            raise ValueError(f"options has {flag}, which the argument {_BY_ARGUMENT[flag]} sets too")
        if flag in ("--", "--link-local"):
            raise ValueError(f"options has {flag}, and the command is imds.serve's own, which serves this process")
    return list(value)


def span(name: str, value: Span) -> str:
    """A time that is not negative, as the program has it."""
    expected = "a timedelta, or seconds as a number"
    if not isinstance(value, timedelta):
        number(name, value, expected)
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 0:
        raise ValueError(f"{name} must be {expected}, and not negative: {value}")
    return f"{round(seconds * 1000)}ms"


def written(name: str, value: datetime) -> str:
    """A time as the program has it."""
    example = "datetime(2026, 10, 1, tzinfo=timezone.utc)"
    kind(name, value, f"a datetime with its time zone, such as {example}", datetime)
    if value.tzinfo is None:
        raise ValueError(f"{name} needs a time zone: {example}")
    return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

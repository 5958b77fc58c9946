"""Wrong arguments are refused at once, by name, with what is expected."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Dict, Iterator, Tuple, Type

import imds
import pytest

NOON = datetime(2026, 10, 1, 12, tzinfo=timezone.utc)
Wrong = Tuple[Dict[str, Any], Type[Exception], str]

STARTS: Dict[str, Wrong] = {
    "instance-name": ({"instance": "instance.toml"}, ValueError, r"names a file: pathlib\.Path\('instance\.toml'\)$"),
    "instance-json": ({"instance": "a b/instance.json\n"}, ValueError, r"pathlib\.Path\('a b/instance\.json'\)$"),
    "instance-kind": ({"instance": 3}, TypeError, "instance must be a mapping, .* or a pathlib.Path, not int"),
    "instance-time": (
        {"instance": {"launch-time": NOON}}, TypeError,
        r"instance\['launch-time'\] is of the type datetime, which JSON does not have; a time is a text: \"2026",
    ),
    "instance-deep": (
        {"instance": {"tags": [{"a": b"x"}]}}, TypeError, r"instance\['tags'\]\[0\]\['a'\] is of the type bytes",
    ),
    "instance-nan": ({"instance": {"ami-launch-index": float("nan")}}, ValueError, "ami-launch-index.* is nan"),
    "scenario": ({"scenario": 3}, TypeError, "scenario must be the name of a scenario, a pathlib.Path, or a list"),
    "http-tokens": ({"http_tokens": True}, TypeError, 'http_tokens must be "optional" or "required", not bool'),
    "paused-kind": ({"paused_at": "2026-10-01"}, TypeError, "paused_at must be a datetime with its .* not str"),
    "paused-zone": ({"paused_at": datetime(2026, 10, 1)}, ValueError, "paused_at needs a time zone"),
    "options-text": ({"options": "--log all"}, TypeError, "options must be a list of flags .* not str"),
    "options-log": ({"options": ["--log", "all"]}, ValueError, "options has --log, .* as it does --control and --log"),
    "options-control": ({"options": ["--control=x"]}, ValueError, "options has --control"),
    "options-twice": (
        {"options": ["--clock-paused"], "paused_at": NOON}, ValueError, "--clock-paused, which the argument paused_at",
    ),
    "options-command": ({"options": ["--", "true"]}, ValueError, "options has --, and the command is"),
    "timeout": ({"timeout": "1m"}, TypeError, "timeout must be a number of seconds, not str"),
}


@pytest.mark.parametrize("arguments, kind, words", STARTS.values(), ids=STARTS.keys())
def test_a_wrong_argument_of_serve(arguments: Dict[str, Any], kind: Type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        imds.serve(**arguments).close()


@pytest.fixture(scope="module")
def it() -> Iterator[imds.Imds]:
    with imds.serve(paused_at=NOON) as it:
        yield it


Order = Callable[[Any], object]
ORDERS: Dict[str, Tuple[Order, Type[Exception], str]] = {
    "advance-text": (lambda it: it.advance("2m"), TypeError, "time must be a timedelta, or seconds .*, not str"),
    "advance-truth": (lambda it: it.advance(True), TypeError, "not bool"),
    "advance-back": (lambda it: it.advance(-1), ValueError, "not negative: -1"),
    "advance-back-span": (lambda it: it.advance(timedelta(seconds=-1)), ValueError, "not negative"),
    "advance-nan": (lambda it: it.advance(float("nan")), ValueError, "not nan"),
    "after": (lambda it: it.interrupt(after="5m"), TypeError, "after must be a timedelta"),
    "action": (lambda it: it.interrupt(3), TypeError, 'action must be "terminate", "stop" or "hibernate"'),
    "clock": (lambda it: it.set_clock("2026-10-01T00:00:00Z"), TypeError, "now must be a datetime"),
    "paused": (lambda it: it.set_clock(paused="yes"), TypeError, "paused must be True or False"),
    "speed": (lambda it: it.set_clock(speed="2"), TypeError, "speed must be a number"),
    "slash": (lambda it: it.ask("GET", "v1/instance"), ValueError, "begins with a slash: 'v1/instance'"),
    "edit": (lambda it: it.edit(3), TypeError, "change must be a mapping, TOML or JSON text, not int"),
    "edit-time": (lambda it: it.edit({"launch-time": NOON}), TypeError, "a time is a text"),
    "edit-name": (lambda it: it.edit("change.toml"), ValueError, r"pathlib\.Path\('change\.toml'\)\.read_text\(\)"),
    "describe": (lambda it: it.describe(None), TypeError, "description must be a mapping"),
}


@pytest.mark.parametrize("order, kind, words", ORDERS.values(), ids=ORDERS.keys())
def test_a_wrong_argument_of_an_order(it: imds.Imds, order: Order, kind: Type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        order(it)
    assert (it.now, it.instance["revision"]) == (NOON, 1)


def test_what_looks_like_a_name_of_a_file_may_be_text() -> None:
    for text in ("# instance.toml", "tags = { Name = 'a' } # a.json"):
        imds.serve(instance=text).close()
    imds.serve(instance=MappingProxyType({"tags": MappingProxyType({})}), options=("--log-format", "json")).close()


def test_a_refusal_without_words_has_its_status() -> None:
    assert str(imds.Refused(400, {"error": ""})) == "status 400"


def test_after_its_end_that_is_said() -> None:
    with imds.serve() as it:
        pass
    orders: Tuple[Order, ...] = (
        lambda it: it.instance, lambda it: it.requests, lambda it: it.log, lambda it: it.now,
        lambda it: it.edit("tags = {}"),
    )
    for order in orders:
        with pytest.raises(imds.Error, match="this service has ended"):
            order(it)


def test_a_program_that_ended_by_itself_is_told() -> None:
    with imds.serve() as it:
        it._process._child.kill()
        it._process._child.wait()
        with pytest.raises(imds.Error, match="imds has ended by itself, with -9"):
            it.advance(1)


@pytest.mark.parametrize("arguments", [[], ["wheels/imds_host-*.whl"]])
def test_without_a_wheel_its_use_is_told(source: Path, arguments: "list[str]") -> None:
    script = source.parent / "without_program.py"
    done = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("usage: python without_program.py WHEEL...\n")
    assert "Traceback" not in done.stderr

"""A service for a test."""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type, Union

from . import _checks, _control, _environment
from ._checks import Scenario, Span
from ._errors import DescriptionWarning, Error, _told
from ._process import Process
from ._program import find_program
from ._requests import Requests

Description = Union[str, "os.PathLike[str]", Mapping[str, Any]]

_JOURNAL = 1000

# How the file of a name is given where no path is taken.
_READ = "pathlib.Path({!r}).read_text()"


def serve(
    *,
    instance: Optional[Description] = None,
    scenario: Union[Scenario, Sequence[Scenario]] = (),
    http_tokens: Optional[str] = None,
    paused_at: Optional[datetime] = None,
    options: Sequence[str] = (),
    timeout: float = 30.0,
) -> "Imds":
    """Starts the program on a free port of 127.0.0.1, until the block ends.

    ``instance`` describes the instance: a mapping, TOML or JSON text, or a
    ``pathlib.Path``. ``scenario`` is the name of one that ships, or a ``pathlib.Path``;
    or several of these, in their order. ``http_tokens`` is ``"optional"`` or ``"required"``,
    whatever these say. Where ``paused_at`` is given, the clock of the service stands at
    that time until the test moves it. ``options`` are other flags of ``imds run``, a
    list; not ``--control`` and ``--log``, which are set, and none that an argument sets.
    ``timeout``, in seconds, is for the start, the end and each order.

    Raises :class:`Error` with the program's own words where it does not start, and
    :class:`ProgramNotFound` where there is none; :class:`TypeError` or :class:`ValueError`
    for an argument that is none.

    >>> import imds
    >>> with imds.serve(instance="tags = { Name = 'web' }", scenario="spot-interruption") as it:
    ...     it.instance["instance-lifecycle"]
    'spot'
    """
    files: Dict[str, str] = {}
    arguments: List[str] = []
    settings = {"instance": instance, "http_tokens": http_tokens, "paused_at": paused_at}
    if isinstance(instance, os.PathLike):
        arguments += ["--instance", os.path.abspath(instance)]
    elif instance is not None:
        files["instance"] = _described("instance", instance, "pathlib.Path({!r})", ", or a pathlib.Path")
        arguments += ["--instance", "instance"]
    for each in _checks.scenarios(scenario):
        arguments += ["--scenario", each]
    if http_tokens is not None:
        _checks.kind("http_tokens", http_tokens, '"optional" or "required"', str)
        arguments += ["--http-tokens", http_tokens]
    if paused_at is not None:
        arguments += ["--clock-start", _checks.written("paused_at", paused_at), "--clock-paused"]
    arguments += _checks.options(options, [name for name, value in settings.items() if value is not None])
    _checks.number("timeout", timeout, "a number of seconds")
    program = find_program()
    return Imds(program, Process(program, arguments, files, timeout), timeout)


class Imds:
    """A metadata service of one instance, until :meth:`close` or the end of its block.
    :func:`serve` starts it."""

    def __init__(self, program: Path, process: Process, timeout: float) -> None:
        self._program = program
        self._process = process
        self._timeout = timeout
        self._env = _environment.variables(process.told, str(process.socket))

    @property
    def endpoint(self) -> str:
        """Where it is: ``http://127.0.0.1:`` and its port, without a final slash."""
        return self._env["AWS_EC2_METADATA_SERVICE_ENDPOINT"]

    @property
    def env(self) -> Dict[str, str]:
        """The whole environment of a command that finds it: that of this process, in which
        the AWS configuration of whoever runs the test counts for nothing.

        >>> import imds, subprocess, sys
        >>> with imds.serve() as it:
        ...     done = subprocess.run([sys.executable, "-c", "pass"], env=it.env)
        """
        return {**_environment.without_configuration(), **self._env}

    @property
    def variables(self) -> Dict[str, str]:
        """Of :attr:`env`, what is set for the service: for an environment that something
        else makes.

        >>> import imds
        >>> with imds.serve() as it:
        ...     it.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] == it.endpoint
        True
        """
        return dict(self._env)

    def edit(self, change: Union[str, Mapping[str, Any]]) -> int:
        """Changes the instance from the next request on, by a piece of a description: a
        mapping, or TOML or JSON text. Returns the revision that has it.

        Operations of EC2 are changes too: ``it.edit({"operation": "reboot"})``.

        >>> import imds
        >>> with imds.serve() as it:
        ...     it.edit("metadata-options.http-tokens = 'required'")
        2
        """
        _described("change", change, _READ)
        if isinstance(change, str):
            # Behind `--` a text that begins with a hyphen is no flag.
            return self._revision(self._ctl(["edit", "--", change]))
        return self._revision(self.ask("PATCH", "/v1/instance", change))

    def describe(self, description: Union[str, Mapping[str, Any]]) -> int:
        """Puts a description, a mapping or TOML or JSON text, in the place of all that was,
        edits and flags too. Returns the revision that has it.

        >>> import imds
        >>> with imds.serve() as it:
        ...     it.describe({"instance-type": "m7g.large"})
        2
        """
        _described("description", description, _READ)
        if isinstance(description, str):
            return self._revision(self._ctl(["put", "-"], description))
        return self._revision(self.ask("PUT", "/v1/instance", description))

    def interrupt(self, action: Optional[str] = None, *, after: Optional[Span] = None, notice_only: bool = False) -> int:
        """Interrupts the instance as EC2 does a spot instance: two minutes from now by its
        clock, or ``after`` some time. ``action`` is ``"terminate"``, ``"stop"`` or
        ``"hibernate"``. With ``notice_only`` nothing happens at the deadline.

        >>> import imds
        >>> with imds.serve() as it:
        ...     _ = it.interrupt()
        ...     it.advance(120)
        ...     it.instance["state"]
        'terminated'
        """
        interruption: Dict[str, Any] = {}
        _checks.kind("notice_only", notice_only, "True or False", bool)
        if action is not None:
            _checks.kind("action", action, '"terminate", "stop" or "hibernate"', str)
            interruption["action"] = action
        if after is not None:
            interruption["time"] = f"+{_checks.span('after', after)}"
        if notice_only:
            interruption["notice-only"] = True
        return self.edit({"operation": {"interrupt": interruption}})

    def advance(self, time: Span) -> None:
        """Moves its clock on by a ``timedelta`` or by seconds, whether it runs or stands.
        :meth:`set_clock` moves it back.

        >>> import imds
        >>> with imds.serve() as it:
        ...     it.advance(6 * 3600)
        """
        self.ask("PATCH", "/v1/clock", {"advance": _checks.span("time", time)})

    def set_clock(
        self, now: Optional[datetime] = None, *, paused: Optional[bool] = None, speed: Optional[float] = None
    ) -> None:
        """Sets its clock to a time, lets it stand or run, or gives it a speed.

        >>> import imds
        >>> from datetime import datetime, timezone
        >>> with imds.serve() as it:
        ...     it.set_clock(datetime(2026, 10, 1, tzinfo=timezone.utc), paused=True)
        ...     it.now.isoformat()
        '2026-10-01T00:00:00+00:00'
        """
        if paused is not None:
            _checks.kind("paused", paused, "True or False", bool)
        if speed is not None:
            _checks.number("speed", speed, "a number")
        written = None if now is None else _checks.written("now", now)
        given = {"now": written, "paused": paused, "speed": speed}
        self.ask("PATCH", "/v1/clock", {name: value for name, value in given.items() if value is not None})

    @property
    def now(self) -> datetime:
        """What its clock shows, in UTC."""
        shown: str = self.ask("GET", "/v1/clock")["now"]
        return datetime.strptime(shown, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)

    @property
    def instance(self) -> Dict[str, Any]:
        """What the instance is now, without its secrets: ``state``, ``identity``,
        ``timeline`` and what else ``/v1/instance`` of the control listener tells."""
        return self.ask("GET", "/v1/instance")

    @property
    def requests(self) -> Requests:
        """What was asked until now.

        >>> import imds
        >>> with imds.serve() as it:
        ...     it.requests.assert_not_asked("/latest/user-data")
        """
        journal = self.ask("GET", f"/v1/requests?limit={_JOURNAL}")
        return Requests(self.endpoint, journal, self.ask("GET", "/v1/usage"))

    @property
    def log(self) -> str:
        """What the program wrote: warnings of the description, and trouble."""
        self._process.assert_serving()
        return self._process.log()

    def ask(self, method: str, target: str, body: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """Any request of the control listener, with its answer.

        >>> import imds
        >>> with imds.serve() as it:
        ...     it.ask("GET", "/v1/clock")["paused"]
        False
        """
        _checks.kind("method", method, 'a text such as "GET"', str)
        _checks.kind("target", target, 'a text such as "/v1/instance"', str)
        if not target.startswith("/"):
            raise ValueError(f'target must be a path such as "/v1/instance", which begins with a slash: {target!r}')
        if body is not None:
            _checks.kind("body", body, "a mapping", Mapping)
            body = _checks.plain("body", body)
        self._process.assert_serving()
        return _control.ask(self._process.socket, self._timeout, method, target, body)

    def close(self) -> None:
        """Ends it; its port is free then. A second call does nothing."""
        self._process.stop(self._timeout)

    def __enter__(self) -> "Imds":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<imds at {self.endpoint}>"

    def _ctl(self, arguments: Sequence[str], text: str = "") -> Dict[str, Any]:
        """`imds ctl`, which reads TOML and tells the place of what is wrong."""
        self._process.assert_serving()
        verb, *rest = arguments
        command = [str(self._program), "ctl", verb, "--control", str(self._process.socket), "--json", *rest]
        try:
            done = subprocess.run(
                command, input=text.encode(), capture_output=True, timeout=self._timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Error(f"imds ctl {verb} did not end within {self._timeout:g} seconds") from error
        if done.returncode != 0:
            raise Error(done.stderr.decode("utf-8", "replace").strip())
        answer: Dict[str, Any] = json.loads(done.stdout)
        return answer

    @staticmethod
    def _revision(answer: Mapping[str, Any]) -> int:
        for warning in answer.get("warnings", ()):
            # Behind this one are `edit` or `describe`, and the test.
            warnings.warn(f"{_told(warning)} [{warning['name']}]", DescriptionWarning, stacklevel=3)
        return int(answer["revision"])


def _described(name: str, value: object, otherwise: str, or_else: str = "") -> str:
    """The text of a description or a change. ``otherwise`` says how a file is given."""
    if isinstance(value, str):
        return _checks.text(name, value, otherwise)
    _checks.kind(name, value, f"a mapping, TOML or JSON text{or_else}", Mapping)
    return json.dumps(_checks.plain(name, value))

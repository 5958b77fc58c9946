"""What can go wrong."""

from __future__ import annotations

from typing import Any, Mapping, Sequence


class Error(Exception):
    """The service cannot be started or reached, in the words of the program.

    >>> import imds
    >>> try:
    ...     imds.serve(instance="instnace-type = 'm7g.large'")
    ... except imds.Error as error:
    ...     "did you mean `instance-type`?" in str(error)
    True
    """


class ProgramNotFound(Error):
    """The program ``imds`` is not installed. The message says how to install it."""


class Refused(Error):
    """The control listener refused a change. Nothing was changed.

    ``status`` is that of HTTP. ``problems`` has what is wrong, each with ``field``
    and ``message``.

    >>> import imds
    >>> with imds.serve() as it:
    ...     try:
    ...         it.edit({"instance-type": 3})
    ...     except imds.Refused as refused:
    ...         refused.status, refused.problems[0]["field"]
    (422, '/instance-type')
    """

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        self.status = status
        self.problems: Sequence[Mapping[str, Any]] = answer.get("problems", [])
        super().__init__("\n".join([str(answer.get("error") or f"status {status}"), *map(_told, self.problems)]))


class DescriptionWarning(UserWarning):
    """A change was made that cannot be so on EC2. The program says what and why."""


def _told(problem: Mapping[str, Any]) -> str:
    """One problem or warning, in a line or two."""
    field = str(problem["field"]).lstrip("/").replace("/", ".")
    lines = [f"{field}: {problem['message']}" if field else str(problem["message"])]
    if "help" in problem:
        lines.append(f"help: {problem['help']}")
    return "\n".join(lines)

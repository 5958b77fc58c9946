"""What a fixture was asked, to be asserted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Union, overload


@dataclass(frozen=True)
class Request:
    """A request as the journal has it: without query, tokens and keys.

    ``method`` and ``target`` are empty where the head could not be read. ``version`` is
    1 or 2, and ``status`` that of the answer; each is ``None`` where there was none.
    ``outcome`` says why the answer is what it is, for programs, and ``reason`` for
    people. Of a refused request, and of one that a fault affected, ``rule`` says what
    to do.

    >>> import imds, urllib.request
    >>> with imds.serve() as it:
    ...     _ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(it.endpoint).read()
    ...     it.requests[0].method, it.requests[0].status
    ('GET', 200)
    """

    number: int
    time: str
    method: str
    target: str
    version: Optional[int]
    status: Optional[int]
    outcome: str
    reason: str
    rule: Optional[str]
    user_agent: Optional[str]
    fault: Optional[str]

    @classmethod
    def _of(cls, entry: Mapping[str, Any]) -> "Request":
        return cls(
            number=entry["number"],
            time=entry["time"],
            method=entry.get("method", ""),
            target=entry.get("target", ""),
            version=entry.get("version"),
            status=entry.get("status"),
            outcome=entry["outcome"],
            reason=entry["reason"],
            rule=entry.get("rule"),
            user_agent=entry.get("user-agent"),
            fault=entry.get("fault"),
        )

    @property
    def is_refusal(self) -> bool:
        """Whether it was refused, or a fault affected its answer."""
        return self.rule is not None

    def __str__(self) -> str:
        answer = "no answer" if self.status is None else str(self.status)
        version = "" if self.version is None else f", version {self.version}"
        agent = "" if self.user_agent is None else f", by {self.user_agent}"
        rule = "" if self.rule is None else f"\n       {self.outcome}: {self.rule}"
        return f"{self.number:5}  {self.method} {self.target}: {answer}{version}{agent}{rule}"


class Requests(Sequence[Request]):
    """What was asked until now: the last 1000 requests in their order.

    A path is one without its query. One that ends in ``/`` stands for all below it too.

    >>> import imds, urllib.request
    >>> with imds.serve() as it:
    ...     _ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
    ...         it.endpoint + "/latest/meta-data/instance-type"
    ...     ).read()
    ...     it.requests.asked("/latest/meta-data/"), it.requests.count("/latest/user-data")
    (True, 0)
    """

    def __init__(self, endpoint: str, journal: Mapping[str, Any], usage: Mapping[str, Any]) -> None:
        self._endpoint = endpoint
        self._entries: List[Request] = [Request._of(entry) for entry in journal["requests"]]
        self._all: int = self._entries[-1].number if self._entries else 0
        # Of all requests, those too that the journal has forgotten.
        self._version_1: int = usage["MetadataNoToken"] + usage["MetadataNoTokenRejected"]

    def asked(self, path: str) -> bool:
        """Whether a path was asked for, whatever the answer was."""
        return self.count(path) > 0

    def count(self, path: Any) -> int:
        """How often a path was asked for, whatever the answers were."""
        return sum(_is_at(entry.target, path) for entry in self._entries)

    def assert_asked(self, path: str) -> None:
        """Fails unless a path was asked for, and tells what was."""
        if not self.asked(path):
            raise AssertionError(f"nobody asked for {path}\n{self}")

    def assert_not_asked(self, path: str) -> None:
        """Fails if a path was asked for, and tells what was."""
        if self.asked(path):
            raise AssertionError(f"somebody asked for {path}\n{self}")

    def assert_version2_only(self) -> None:
        """Fails unless tokens were used, and by all: what ``imds run --require-v2``
        demands of a command."""
        if self._version_1:
            raise AssertionError(f"{self._version_1} of {_counted(self._all)} came without a token\n{self}")
        if not any(entry.version == 2 and not entry.is_refusal for entry in self._entries):
            raise AssertionError(f"no request was answered as one of version 2\n{self}")

    def assert_none_refused(self) -> None:
        """Fails if a request was refused, or a fault affected its answer, and tells the
        remedy."""
        refused = sum(entry.is_refusal for entry in self._entries)
        if refused:
            raise AssertionError(f"{refused} of {_counted(self._all)} refused\n{self}")

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._entries)

    @overload
    def __getitem__(self, index: int) -> Request: ...

    @overload
    def __getitem__(self, index: slice) -> List[Request]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Request, List[Request]]:
        return self._entries[index]

    def __str__(self) -> str:
        head = f"{self._endpoint} was asked {_counted(self._all)}{':' if self._entries else ''}"
        return "\n".join([head, *map(str, self._entries)])

    __repr__ = __str__


def _is_at(target: str, path: str) -> bool:
    asked = target.split("?", 1)[0]
    return asked == path or (path.endswith("/") and asked.startswith(path))


def _counted(number: int) -> str:
    return f"{number} request{'' if number == 1 else 's'}"

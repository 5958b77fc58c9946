"""The pytest plugin: a fixture, a marker, and the journal where a test fails.

pytest loads it by itself where the package is installed.

    @pytest.mark.imds(http_tokens="required")
    def test_agent(imds):
        my_agent.run_once()
        imds.requests.assert_version2_only()
"""

from __future__ import annotations

from typing import Any, Dict, Generator, Iterator

import pytest

from . import _environment
from ._errors import Error
from ._fixture import Imds, serve

_HELP = "imds(**arguments): what the fixture `imds` gives to imds.serve, as in @pytest.mark.imds(http_tokens='required')"

_served = pytest.StashKey[Imds]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _HELP)


@pytest.fixture
def imds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Imds]:
    """A metadata service of one instance for this test, in whose environment SDKs find
    it. The arguments of `@pytest.mark.imds` are those of `imds.serve`."""
    arguments: Dict[str, Any] = {}
    # The closest marker comes first, and counts.
    for marker in request.node.iter_markers("imds"):
        if marker.args:
            raise pytest.UsageError("@pytest.mark.imds takes arguments by name only: http_tokens='required'")
        arguments = {**marker.kwargs, **arguments}
    with serve(**arguments) as it:
        for name in _environment.removed():
            monkeypatch.delenv(name)
        for name, value in it.variables.items():
            monkeypatch.setenv(name, value)
        request.node.stash[_served] = it
        yield it


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Generator[None, Any, None]:
    outcome = yield
    it = item.stash.get(_served, None)
    # Of a test that ended, the service has ended too.
    if it is None or call.when != "call":
        return
    report = outcome.get_result()
    if not report.failed:
        return
    try:
        report.sections.append(("imds", "\n".join(filter(None, [str(it.requests), it.log]))))
    except Error as error:
        report.sections.append(("imds", str(error)))

"""What all tests here share."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import imds
import pytest

pytest_plugins = ["pytester", "imds.pytest_plugin"]


@pytest.fixture(autouse=True, scope="session")
def one_program_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same program wherever a test runs. It keeps the keys of the identity document
    for its user, and tests are none: theirs go with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDS_PROGRAM", str(imds.find_program()))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    import test_cases

    if test_cases.counted.cases:
        terminalreporter.write_line(str(test_cases.counted))


@pytest.fixture(scope="session")
def source() -> Path:
    """The module as it stands here, for processes that a test starts."""
    return Path(__file__).parent.parent / "src"

"""Where the program is looked for, and what is said where it is not."""

from __future__ import annotations

from pathlib import Path

import imds
import pytest
from imds import _program


def fake(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    program = directory / "imds"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("IMDS_PROGRAM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(_program, "_script_directories", lambda: [tmp_path / "scripts"])
    return tmp_path


def test_the_variable_counts_before_the_wheel_and_the_path(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = fake(nowhere / "path")
    assert imds.find_program() == on_path
    of_wheel = fake(nowhere / "scripts")
    assert imds.find_program() == of_wheel
    named = fake(nowhere / "named")
    monkeypatch.setenv("IMDS_PROGRAM", str(named))
    assert imds.find_program() == named


def test_where_there_is_none_it_says_what_to_install(nowhere: Path) -> None:
    with pytest.raises(imds.ProgramNotFound, match="cargo install --locked --path host"):
        imds.serve()


def test_a_variable_that_names_no_program_is_an_error(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(nowhere / "path")
    monkeypatch.setenv("IMDS_PROGRAM", str(nowhere / "nothing"))
    with pytest.raises(imds.ProgramNotFound, match="IMDS_PROGRAM is .*nothing"):
        imds.find_program()


def test_a_program_that_is_not_imds_is_told(nowhere: Path) -> None:
    fake(nowhere / "path")
    with pytest.raises(imds.Error, match="imds ended with 0 before it was ready"):
        imds.serve()


def test_a_program_that_never_gets_ready_times_out(nowhere: Path) -> None:
    fake(nowhere / "path").write_text("#!/bin/sh\necho starting >&2\nexec /bin/sleep 600\n")
    with pytest.raises(imds.Error, match=r"not ready within 0\.3 seconds\nstarting"):
        imds.serve(timeout=0.3)

"""Where the program is."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from ._errors import ProgramNotFound

VARIABLE = "IMDS_PROGRAM"

_HELP = """\
the program `imds` is not installed: this package has none for this platform. Build it \
from a clone of the project, with a Rust tool chain installed by rustup:

    cargo install --locked --path host

It is looked for beside this Python's scripts and on PATH. IMDS_PROGRAM names one that is elsewhere."""


def find_program() -> Path:
    """The program that serves: what the variable ``IMDS_PROGRAM`` names, else the one
    that the wheel installed, else the one on ``PATH``.

    Raises :class:`ProgramNotFound`, which says what to install.

    >>> import imds
    >>> imds.find_program().is_file()
    True
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = Path(named).absolute()
        if not _runs(program):
            raise ProgramNotFound(f"{VARIABLE} is {named}, and there is no program")
        return program
    for directory in _script_directories():
        program = directory / "imds"
        if _runs(program):
            return program
    on_path = shutil.which("imds")
    if on_path is None:
        raise ProgramNotFound(_HELP)
    return Path(on_path).absolute()


def _script_directories() -> list[Path]:
    """Where pip puts programs: for this environment, and by ``pip install --user``."""
    schemes = [None, f"{os.name}_user"]
    paths = [sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts") for scheme in schemes]
    return [Path(path) for path in paths if path]


def _runs(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)

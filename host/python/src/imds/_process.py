"""The process that serves."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, Mapping, Sequence

from . import _environment
from ._errors import Error

# What the program tells its command, a line each.
_TOLD = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "NO_PROXY", "no_proxy")

# `imds run` serves while its command runs. This one says what it was told, and runs
# until its standard input ends: when the test closes it, or when the test's process
# dies, however it dies.
_COMMAND = ("/bin/sh", "-c", f'printf "%s\\n" {" ".join(f"${name}" for name in _TOLD)}; exec cat >/dev/null')

_SOCKET = "control"


class Process:
    """``imds run`` with a control listener, in a directory of its own."""

    def __init__(
        self, program: Path, arguments: Sequence[str], files: Mapping[str, str], seconds: float
    ) -> None:
        if os.name != "posix":
            raise Error("imds.serve needs Unix: it speaks to the program over a Unix socket")
        self._directory = Path(tempfile.mkdtemp(prefix="imds-"))
        self.socket = self._directory / _SOCKET
        self._is_stopped = False
        try:
            for name, text in files.items():
                (self._directory / name).write_text(text, encoding="utf-8")
            command = [str(program), "run", "--control", f"./{_SOCKET}", "--log", "off", *arguments, "--", *_COMMAND]
            self._child = self._spawn(command)
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        try:
            self.told = self._wait_until_told(seconds)
        except BaseException:
            self.stop(seconds)
            raise

    def log(self) -> str:
        """What the program wrote to standard error."""
        try:
            text = self._log_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        # That it listens at this socket is of no use to who reads this.
        return text.replace(f"imds: control on {self.socket}\n", "").strip()

    def assert_serving(self) -> None:
        """Raises :class:`Error` where it has ended."""
        if self._is_stopped:
            raise Error("this service has ended: nothing can be asked of it behind its block, or after close()")
        if self._child.poll() is not None:
            raise Error(f"imds has ended by itself, with {self._child.returncode}\n{self.log()}".strip())

    def stop(self, seconds: float) -> None:
        """Ends it, and waits until it has ended."""
        self._is_stopped = True
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _log_file(self) -> Path:
        return self._directory / "log"

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with open(self._log_file, "wb") as log:
            try:
                return subprocess.Popen(
                    command,
                    cwd=self._directory,
                    # It notes credentials that SDKs prefer, and the test's SDKs will have none.
                    env=_environment.without_configuration(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    # Ctrl-C in the terminal is for the test, which then ends this.
                    start_new_session=True,
                )
            except OSError as error:
                raise Error(f"cannot run {command[0]}: {error.strerror}") from error

    def _wait_until_told(self, seconds: float) -> Dict[str, str]:
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        deadline = time.monotonic() + seconds
        told = b""
        while told.count(b"\n") < len(_TOLD):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise Error(f"imds was not ready within {seconds:g} seconds\n{self.log()}".strip())
            piece = os.read(descriptor, 4096)
            if not piece:
                # It ends by itself now, and what it wrote is complete then.
                self._child.wait(max(1.0, deadline - time.monotonic()))
                raise Error(self.log() or f"imds ended with {self._child.returncode} before it was ready")
            told += piece
        return dict(zip(_TOLD, os.fsdecode(told).splitlines()))

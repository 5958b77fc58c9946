"""The control listener, over its Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ._errors import Error, Refused


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, seconds: float, method: str, target: str, body: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """One request and its answer. Raises :class:`Refused` for any status but 200."""
    connection = _Connection(path, seconds)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, target, sent, {"Content-Type": "application/json"} if sent else {})
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Error(f"the control listener of imds does not answer: {error}") from error
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {"error": text.decode("utf-8", "replace")}
    if response.status != 200:
        raise Refused(response.status, answer)
    if not isinstance(answer, dict):
        raise Error(f"the control listener of imds answered {method} {target} with no object")
    return answer

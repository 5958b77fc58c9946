"""The EC2 instance metadata service for tests.

>>> import imds
>>> with imds.serve(instance={"instance-type": "m7g.large"}, http_tokens="required") as it:
...     it.endpoint.startswith("http://127.0.0.1:")
True

The program ``imds`` serves it and decides all of it. This module starts the
program and speaks to its control listener.
"""

from __future__ import annotations

from ._errors import DescriptionWarning, Error, ProgramNotFound, Refused
from ._fixture import Imds, serve
from ._program import find_program
from ._requests import Request, Requests

__all__ = [
    "DescriptionWarning",
    "Error",
    "Imds",
    "ProgramNotFound",
    "Refused",
    "Request",
    "Requests",
    "find_program",
    "serve",
]

"""The environment in which SDKs find the service and nothing else."""

from __future__ import annotations

import os
from typing import Dict, List, Mapping


# A file that is there on every machine and says nothing.
_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def variables(told: Mapping[str, str], control: str) -> Dict[str, str]:
    """What is to be set: what the program tells its command, and what keeps the AWS
    configuration of whoever runs the test out of it."""
    return {**told, **_FILES, "IMDS_CONTROL": control, "AWS_EC2_METADATA_DISABLED": "false"}


def without_configuration() -> Dict[str, str]:
    """The environment of this process without any AWS configuration."""
    gone = set(removed())
    return {**{name: value for name, value in os.environ.items() if name not in gone}, **_FILES}


def removed() -> List[str]:
    """What is to be taken away: a user's own credentials, region and endpoints, which
    SDKs prefer to those of the instance."""
    return [name for name in os.environ if name.upper().startswith("AWS_")]

"""Every case of the repository, over a socket of the program that `imds.serve` starts,
under a clock that the control listener sets."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Dict

import case
import imds
import play
import pytest

BEGIN = datetime(2026, 10, 1, tzinfo=timezone.utc)

# Times that nothing else sets count from the start of the program, and in a case from
# the launch time. So the program starts then where a case has such times.
LAUNCHED = {"timeline-times-count-from-the-start-or-stand-alone": datetime(2026, 9, 30, 23, tzinfo=timezone.utc)}


@dataclass
class Counted:
    cases: int = 0
    exchanges: int = 0

    def __str__(self) -> str:
        return f"{self.cases} of {len(case.names())} cases held over sockets of imds.serve, in {self.exchanges} exchanges"


counted = Counted()


@pytest.mark.parametrize("name", case.names())
def test_case(name: str) -> None:
    told = case.read(name)
    now, wrong, exchanges = BEGIN, [], 0
    kept: Dict[str, bytes] = {}
    with warnings.catch_warnings(), imds.serve(instance=told.toml, paused_at=LAUNCHED.get(name, BEGIN)) as it:
        # Cases describe what cannot be, too.
        warnings.simplefilter("ignore", imds.DescriptionWarning)
        it.set_clock(BEGIN)
        for step in told.steps:
            if isinstance(step, timedelta):
                now += step
                it.advance(step)
            elif isinstance(step, datetime):
                now = step
                it.set_clock(now)
            elif isinstance(step, case.Describe):
                it.describe(step.toml)
            else:
                for _ in range(step.times):
                    exchanges += 1
                    for difference in play.ask(it.endpoint, step, kept):
                        wrong.append(f"tests/cases/{name}.http:{step.line}: {difference}")
        assert it.now == now
    assert not wrong, "\n".join([f"the rule does not hold: {told.rule}", *wrong])
    assert exchanges, "the case has no exchange"
    counted.cases += 1
    counted.exchanges += exchanges

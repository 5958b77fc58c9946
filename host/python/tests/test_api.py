"""`imds.serve` and what it gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Tuple

import imds
import pytest

NOON = datetime(2026, 10, 1, 12, tzinfo=timezone.utc)
ACTION = "/latest/meta-data/spot/instance-action"


def get(it: imds.Imds, path: str) -> Tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(it.endpoint + path, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("kind", ["mapping", "toml", "json", "file"])
def test_an_instance_is_described_in_any_form(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "instance.toml"
    file.write_text("instance-type = 'm7g.large'")
    forms: Dict[str, Any] = {
        "mapping": {"instance-type": "m7g.large"},
        "toml": "instance-type = 'm7g.large'",
        "json": '{"instance-type": "m7g.large"}',
        "file": file,
    }
    with imds.serve(instance=forms[kind]) as it:
        assert get(it, "/latest/meta-data/instance-type") == (200, "m7g.large")


def test_what_is_wrong_with_a_description_is_told_in_the_words_of_the_program() -> None:
    with pytest.raises(imds.Error) as told:
        imds.serve(instance="instnace-type = 'm7g.large'")
    assert "error: unknown field `instnace-type`" in str(told.value)
    assert "did you mean `instance-type`?" in str(told.value)


def test_an_unknown_scenario_is_told() -> None:
    with pytest.raises(imds.Error, match="no-such-scenario"):
        imds.serve(scenario="no-such-scenario")


def test_scenarios_come_over_each_other(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("instance-type = 'c7g.large'")
    with imds.serve(scenario=["spot-interruption", file]) as it:
        assert it.instance["instance-lifecycle"] == "spot"
        assert it.instance["identity"]["instanceType"] == "c7g.large"


def test_tokens_can_be_required() -> None:
    with imds.serve(http_tokens="required") as it:
        assert get(it, "/latest/meta-data/")[0] == 401
        assert it.requests[0].is_refusal
        with pytest.raises(AssertionError, match="1 of 1 request came without a token"):
            it.requests.assert_version2_only()
        with pytest.raises(AssertionError, match="1 of 1 request refused"):
            it.requests.assert_none_refused()


@pytest.mark.parametrize("change", ["tags.Name = 'web'", {"tags": {"Name": "web"}}])
def test_an_edit_changes_the_instance(change: Any) -> None:
    with imds.serve(instance={"metadata-options": {"instance-metadata-tags": "enabled"}}) as it:
        assert it.edit(change) == 2
        assert get(it, "/latest/meta-data/tags/instance/Name") == (200, "web")


def test_a_wrong_edit_changes_nothing() -> None:
    with imds.serve() as it:
        with pytest.raises(imds.Error, match=r"--> the change:1:10 \(tags.x\)"):
            it.edit("tags.x = 3")
        with pytest.raises(imds.Refused) as refused:
            it.edit({"instance-typ": "m7g.large"})
        assert (refused.value.status, refused.value.problems[0]["field"]) == (422, "/instance-typ")
        assert "help: did you mean `instance-type`?" in str(refused.value)
        assert it.instance["revision"] == 1


def test_a_wrong_description_changes_nothing() -> None:
    with imds.serve() as it:
        with pytest.raises(imds.Error, match=r"--> standard input:1:1 \(instance-typ\)"):
            it.describe("instance-typ = 'm7g.large'")
        assert it.instance["revision"] == 1


@pytest.mark.parametrize("description", ["tags.Name = 'web'", {"tags": {"Name": "web"}}])
def test_what_cannot_be_is_warned_of(description: Any) -> None:
    with imds.serve() as it, pytest.warns(imds.DescriptionWarning, match=r"\[tags-not-shown\]"):
        assert it.describe(description) == 2


def test_an_interruption_comes_and_the_clock_brings_its_end() -> None:
    with imds.serve(paused_at=NOON) as it:
        assert get(it, ACTION)[0] == 404
        it.interrupt()
        assert get(it, ACTION) == (200, '{"action":"terminate","time":"2026-10-01T12:02:00Z"}')
        it.advance(timedelta(seconds=119, milliseconds=999))
        assert it.instance["state"] == "running"
        it.advance(0.001)
        assert it.instance["state"] == "terminated"


def test_an_interruption_can_be_another() -> None:
    with imds.serve(paused_at=NOON) as it:
        it.interrupt("stop", after=600, notice_only=True)
        assert get(it, ACTION)[0] == 404
        it.advance(8 * 60)
        assert get(it, ACTION) == (200, '{"action":"stop","time":"2026-10-01T12:10:00Z"}')
        it.advance(600)
        assert it.instance["state"] == "running"


def test_the_clock_is_set_and_let_run() -> None:
    with imds.serve(paused_at=NOON) as it:
        assert it.now == NOON
        it.set_clock(NOON + timedelta(days=1))
        assert it.now == NOON + timedelta(days=1)
        it.set_clock(paused=False, speed=1000)
        assert it.now > NOON + timedelta(days=1)
        with pytest.raises(ValueError, match="time zone"):
            it.set_clock(datetime(2026, 10, 1))


def test_requests_are_counted_by_path() -> None:
    with imds.serve() as it:
        get(it, "/latest/meta-data/instance-type")
        get(it, "/latest/meta-data/placement/region")
        requests = it.requests
        assert requests.count("/latest/meta-data/") == 2
        assert requests.count("/latest/meta-data/instance-type") == 1
        assert not requests.asked("/latest/meta-data")
        requests.assert_asked("/latest/meta-data/placement/")
        requests.assert_not_asked("/latest/user-data")
        with pytest.raises(AssertionError, match="nobody asked for /latest/user-data"):
            requests.assert_asked("/latest/user-data")
        with pytest.raises(AssertionError, match="somebody asked for /latest/meta-data/"):
            requests.assert_not_asked("/latest/meta-data/")
        with pytest.raises(AssertionError, match="2 of 2 requests came without a token"):
            requests.assert_version2_only()
        assert "    1  GET /latest/meta-data/instance-type: 200, version 1, by Python-urllib/" in str(requests)


def test_the_environment_has_no_configuration_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("NO_PROXY", "a.example")
    monkeypatch.setenv("OTHER", "stays")
    with imds.serve() as it:
        assert it.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] == it.endpoint
        assert it.env["NO_PROXY"] == "a.example,127.0.0.1"
        assert it.env["OTHER"] == "stays"
        assert "AWS_ACCESS_KEY_ID" not in it.env
        done = subprocess.run([imds.find_program(), "ctl", "show"], env=it.env, capture_output=True, check=True)
        assert b"running" in done.stdout


def test_the_log_has_warnings_and_nothing_else() -> None:
    with imds.serve(instance="instance-type = 't3.mikro'") as it:
        assert it.log.startswith("warning: instance types have no size called `mikro` [unknown-instance-type]")
    with imds.serve() as it:
        assert it.log == ""


def test_it_is_gone_at_the_end() -> None:
    with imds.serve() as it:
        directory = it._process.socket.parent
        child = it._process._child
    assert child.returncode == 0
    assert not directory.exists()
    with pytest.raises(urllib.error.URLError):
        get(it, "/")
    with pytest.raises(imds.Error, match="this service has ended"):
        it.advance(1)
    it.close()


def test_many_are_served_at_once() -> None:
    them = [imds.serve(instance={"ami-launch-index": index}) for index in range(5)]
    try:
        assert [get(it, "/latest/meta-data/ami-launch-index")[1] for it in them] == ["0", "1", "2", "3", "4"]
    finally:
        for it in them:
            it.close()


def test_it_ends_when_the_process_of_the_test_is_killed(source: Path) -> None:
    script = "import imds, time; it = imds.serve(); print(it._process._child.pid, flush=True); time.sleep(600)"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as test:
        assert test.stdout is not None
        served = int(test.stdout.readline())
        test.send_signal(signal.SIGKILL)
    for _ in range(2000):
        if not _runs(served):
            return
        time.sleep(0.01)
    pytest.fail(f"process {served} outlives the test by 20 seconds")


def _runs(process: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, check=False).stdout
    # Where nobody collects orphans, one that ended stays as a zombie.
    return bool(state.strip()) and not state.strip().startswith(b"Z")

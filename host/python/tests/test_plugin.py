"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

from pathlib import Path

import imds
import pytest


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: Path) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("IMDS_PROGRAM", str(imds.find_program()))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    return pytester


def result(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    pytester.makepyfile(test)
    return pytester.runpytest_subprocess("-p", "imds.pytest_plugin", "--strict-markers", "-p", "no:cacheprovider")


GET = """
    import os, urllib.error, urllib.request, pytest

    def get(path):
        endpoint = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
        try:
            return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(endpoint + path).status
        except urllib.error.HTTPError as error:
            return error.code
"""


def test_each_test_has_an_instance_in_its_environment(run: pytest.Pytester) -> None:
    done = result(
        run,
        GET
        + """
    endpoints = set()

    @pytest.mark.parametrize("time", [1, 2])
    def test_it(imds, time):
        assert get("/latest/meta-data/") == 200
        assert imds.requests.count("/latest/meta-data/") == 1
        assert "AWS_PROFILE" not in os.environ
        endpoints.add(imds.endpoint)

    def test_after():
        assert len(endpoints) == 2
        assert "AWS_EC2_METADATA_SERVICE_ENDPOINT" not in os.environ
        assert os.environ["AWS_PROFILE"] == "mine"
    """,
    )
    done.assert_outcomes(passed=3)


def test_the_marker_says_what_is_served_and_the_closest_counts(run: pytest.Pytester) -> None:
    done = result(
        run,
        GET
        + """
    pytestmark = pytest.mark.imds(http_tokens="required", scenario="spot-interruption")

    def test_of_the_module(imds):
        assert get("/latest/meta-data/") == 401
        assert imds.instance["instance-lifecycle"] == "spot"

    @pytest.mark.imds(http_tokens="optional")
    def test_of_its_own(imds):
        assert get("/latest/meta-data/") == 200
        assert imds.instance["instance-lifecycle"] == "spot"
    """,
    )
    done.assert_outcomes(passed=2)


def test_the_journal_is_printed_where_a_test_fails_and_only_there(run: pytest.Pytester) -> None:
    done = result(
        run,
        GET
        + """
    def test_that_passes(imds):
        get("/latest/meta-data/mac")

    @pytest.mark.imds(http_tokens="required")
    def test_that_fails(imds):
        assert get("/latest/user-data") == 200
    """,
    )
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*- imds -*", "http://127.0.0.1:* was asked 1 request:", "*GET /latest/user-data: 401*"])
    done.stdout.no_fnmatch_line("*/latest/meta-data/mac: 200*")


def test_a_wrong_description_is_an_error_of_the_test(run: pytest.Pytester) -> None:
    done = result(
        run,
        """
    import pytest

    @pytest.mark.imds(instance={"instance-typ": "m7g.large"})
    def test_it(imds):
        pass

    @pytest.mark.imds("required")
    def test_by_place(imds):
        pass
    """,
    )
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["*did you mean `instance-type`?*", "*takes arguments by name only*"])


def test_the_marker_is_listed(run: pytest.Pytester) -> None:
    run.runpytest_subprocess("-p", "imds.pytest_plugin", "--markers").stdout.fnmatch_lines(["@pytest.mark.imds(*"])

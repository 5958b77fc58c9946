"""botocore, unmodified, believes that it runs on an EC2 instance."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import imds as module
import pytest
from botocore.credentials import ContainerProvider
from botocore.exceptions import CredentialRetrievalError
from botocore.utils import IMDSRegionProvider, InstanceMetadataFetcher

BOTH = [pytest.param(option, marks=pytest.mark.imds(http_tokens=option)) for option in ("optional", "required")]


@pytest.mark.parametrize("http_tokens", BOTH)
def test_the_credential_chain_ends_at_the_role_of_the_instance(imds: module.Imds, http_tokens: str) -> None:
    credentials = botocore.session.Session().get_credentials()
    assert credentials.method == "iam-role"
    assert credentials.access_key.startswith("ASIA")
    imds.requests.assert_asked("/latest/meta-data/iam/security-credentials/")
    imds.requests.assert_version2_only()
    imds.requests.assert_none_refused()


@pytest.mark.parametrize("http_tokens", BOTH)
def test_the_fetcher_reads_the_credentials_of_the_role(imds: module.Imds, http_tokens: str) -> None:
    found = InstanceMetadataFetcher(base_url=imds.endpoint).retrieve_iam_role_credentials()
    assert set(found) == {"role_name", "access_key", "secret_key", "token", "expiry_time"}
    imds.requests.assert_version2_only()


def test_where_no_token_comes_it_asks_without(imds: module.Imds) -> None:
    imds.edit({"faults": [{"kind": "refuse", "paths": ["/latest/api/token"]}]})
    found = InstanceMetadataFetcher(base_url=imds.endpoint).retrieve_iam_role_credentials()
    assert found["access_key"].startswith("ASIA")
    asked = [request for request in imds.requests if request.status == 200]
    assert asked and all(request.version == 1 for request in asked)
    with pytest.raises(AssertionError, match="came without a token"):
        imds.requests.assert_version2_only()


@pytest.mark.imds(instance={"placement": {"availability-zone": "eu-west-1b"}}, http_tokens="required")
def test_the_region_is_that_of_the_instance(imds: module.Imds) -> None:
    session = botocore.session.Session()
    assert IMDSRegionProvider(session).provide() == "eu-west-1"


@pytest.mark.imds(http_tokens="required")
def test_credentials_that_run_out_are_fetched_again(imds: module.Imds) -> None:
    fetcher = InstanceMetadataFetcher(base_url=imds.endpoint)
    before = fetcher.retrieve_iam_role_credentials()
    assert fetcher.retrieve_iam_role_credentials()["access_key"] == before["access_key"]
    imds.advance(6 * 3600)
    after = fetcher.retrieve_iam_role_credentials()
    assert after["access_key"] != before["access_key"] and after["expiry_time"] > before["expiry_time"]


@pytest.mark.imds(http_tokens="required")
def test_a_terminated_instance_has_no_credentials(imds: module.Imds) -> None:
    imds.edit({"operation": "terminate"})
    fetcher = InstanceMetadataFetcher(base_url=imds.endpoint, num_attempts=1)
    assert fetcher.retrieve_iam_role_credentials() == {}


TASK = {"container-credentials": [{"credentials-id": "task", "role-arn": "arn:aws:iam::123456789012:role/web"}]}
POD = {"container-credentials": [{"authorization-token": "of-the-pod"}]}


@pytest.mark.imds(instance=TASK, http_tokens="required")
def test_a_task_of_ecs_refreshes_the_credentials_of_its_role(imds: module.Imds) -> None:
    environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{imds.endpoint}/v2/credentials/task"}
    credentials = ContainerProvider(environment).load()
    assert credentials.method == "container-role"
    before = credentials.access_key
    imds.advance(7 * 3600)
    after = ContainerProvider(environment).load().access_key
    assert before.startswith("ASIA") and after.startswith("ASIA") and before != after
    assert [request.version for request in imds.requests] == [None, None]


@pytest.mark.imds(instance=POD, http_tokens="required")
def test_a_pod_of_eks_shows_its_token(imds: module.Imds, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of-the-pod")
    url = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{imds.endpoint}/v1/credentials"}
    for name, value in (("TOKEN", "of-the-pod"), ("TOKEN_FILE", str(file))):
        token = {f"AWS_CONTAINER_AUTHORIZATION_{name}": value}
        assert ContainerProvider(url | token).load().access_key.startswith("ASIA")
    with pytest.raises(CredentialRetrievalError, match="400"):
        ContainerProvider(url | {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "of-another"}).load()

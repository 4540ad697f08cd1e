from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import alibabacloud_oss_v2 as oss
import pytest

from emulators.testing import Running, running
from flows import ossbucket
from flows.objectstore import Absent, MemoryStore, ObjectStore, Taken, buckets_of
from infra.outputs import LandingZoneOutputs, parse_outputs
from kit.problems import Refused
from tests.landed import OUTPUTS, make_buckets


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as clouds, pytest.MonkeyPatch.context() as patch:
        for name, value in clouds.environment.items():
            patch.setenv(name, value)
        make_buckets()
        yield clouds


@pytest.fixture
def outputs() -> LandingZoneOutputs:
    return parse_outputs(OUTPUTS, "test")


@pytest.fixture(params=["memory", "oss"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore()
    request.getfixturevalue("clouds")
    return buckets_of(parse_outputs(OUTPUTS, "test")).ledger


def test_what_was_put_is_got(store: ObjectStore) -> None:
    store.put("a/1", b"\x00one")
    assert store.get("a/1") == b"\x00one"
    assert store.head("a/1") == 4


def test_an_absent_object_is_told_apart(store: ObjectStore) -> None:
    assert store.head("no/such") is None
    with pytest.raises(Absent):
        store.get("no/such")


def test_a_conditional_put_never_overwrites(store: ObjectStore) -> None:
    store.put("b/1", b"first", if_absent=True)
    with pytest.raises(Taken):
        store.put("b/1", b"second", if_absent=True)
    assert store.get("b/1") == b"first"


def test_an_unconditional_put_does(store: ObjectStore) -> None:
    store.put("c/1", b"first")
    store.put("c/1", b"second")
    assert store.get("c/1") == b"second"


def test_keys_are_listed_by_prefix_in_order(store: ObjectStore) -> None:
    for key in ("d/2", "d/1", "e/1"):
        store.put(key, b"")
    assert store.list("d/") == ["d/1", "d/2"]


@pytest.mark.usefixtures("clouds")
def test_a_listing_goes_over_several_pages(outputs: LandingZoneOutputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ossbucket, "PAGE", 3)
    store = buckets_of(outputs).releases
    keys = [f"many/{number:04d}" for number in range(7)]
    for key in keys:
        store.put(key, b"")
    assert store.list("many/") == keys


@pytest.mark.usefixtures("clouds")
def test_what_is_retained_is_taken_for_who_asks_that_there_be_none_and_refused_to_who_overwrites(
    outputs: LandingZoneOutputs,
) -> None:
    config = oss.config.load_default()
    config.region, config.endpoint = outputs.region, outputs.storage_endpoint
    config.credentials_provider = oss.credentials.EnvironmentVariableCredentialsProvider()
    client, bucket = oss.Client(config), "acme-retained"
    client.put_bucket(oss.PutBucketRequest(bucket=bucket))
    worm = oss.InitiateWormConfiguration(retention_period_in_days=2)
    begun = client.initiate_bucket_worm(oss.InitiateBucketWormRequest(bucket=bucket, initiate_worm_configuration=worm))
    client.complete_bucket_worm(oss.CompleteBucketWormRequest(bucket=bucket, worm_id=begun.worm_id))
    store = ossbucket.OssBucket(bucket, client)
    store.put("f/1", b"first", if_absent=True)
    with pytest.raises(Taken):
        store.put("f/1", b"second", if_absent=True)
    with pytest.raises(Refused, match="FileImmutable"):
        store.put("f/1", b"second")
    assert store.get("f/1") == b"first"


@pytest.mark.parametrize("code", ["FileAlreadyExists", "FileImmutable"])
def test_whichever_way_oss_says_that_it_is_there_it_is_taken(code: str) -> None:
    class Answers:
        def put_object(self, _request: oss.PutObjectRequest) -> None:
            raise oss.exceptions.ServiceError(
                status_code=409, code=code, message="there", request_id="R", ec="", timestamp="", request_target=""
            )

    store = ossbucket.OssBucket("b", cast("oss.Client", Answers()))
    with pytest.raises(Taken):
        store.put("f/1", b"second", if_absent=True)
    with pytest.raises(Refused, match=code):
        store.put("f/1", b"second")


@pytest.mark.usefixtures("clouds")
def test_a_bucket_that_is_not_there_is_said_with_what_to_do() -> None:
    store = buckets_of(parse_outputs({**OUTPUTS, "storage_ledger_bucket": "acme-nowhere"}, "test")).ledger
    with pytest.raises(Refused, match="NoSuchBucket") as refused:
        store.list()
    assert "pulumi up" in refused.value.problems[0].fix


@pytest.mark.usefixtures("clouds")
def test_a_wrong_secret_gets_the_service_s_own_error(
    outputs: LandingZoneOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", "wrong")
    with pytest.raises(Refused, match="SignatureDoesNotMatch"):
        buckets_of(outputs).ledger.put("x", b"")


def test_without_credentials_nothing_is_tried(outputs: LandingZoneOutputs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OSS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Refused, match="no credentials"):
        buckets_of(outputs)

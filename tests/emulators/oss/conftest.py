"""Running emulators, and clients of the official OSS SDK that reach them through the proxy."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.alicloud.oss.api import ObjectStorage
from emulators.alicloud.oss.s3 import S3Storage
from emulators.testing import Running, running

Clients = Callable[..., Any]


class Clock:
    """The emulators' clock, which a test may set ahead of the machine's."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


_clock = Clock()


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock, set right again after the test."""
    yield _clock
    _clock.ahead = 0.0


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("home")
    with (
        pytest.MonkeyPatch.context() as patch,
        running(
            home, lambda world: [service(replace(world, now=_clock)) for service in (S3Storage, ObjectStorage)]
        ) as it,
    ):
        for name, value in it.environment.items():
            patch.setenv(name, value)
        yield it


@pytest.fixture
def empty_account(emulators: Running) -> None:
    """Nothing that earlier tests of the module left: together they make more buckets than an account may have."""
    emulators.emulators.reset()


@pytest.fixture
def make_client(emulators: Running) -> Clients:
    """Return what makes clients; keywords replace the SDK's settings."""

    def make(key_id: str = ACCESS_KEY_ID, secret: str = ACCESS_KEY_SECRET, **settings: Any) -> Any:
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(key_id, secret)
        config.region = "cn-shanghai"
        config.retry_max_attempts = 1
        for name, value in settings.items():
            setattr(config, name, value)
        return oss.Client(config)

    return make


@pytest.fixture(params=["v1", "v4"])
def client(request: pytest.FixtureRequest, make_client: Clients) -> Any:
    """A client of the account, once with each signature version."""
    return make_client(signature_version=request.param)


_numbers = itertools.count(1)


@pytest.fixture
def fresh_name(empty_account: None) -> str:
    """A bucket name that no test has used."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def bucket(client: Any, fresh_name: str) -> str:
    """The name of a new bucket."""
    client.put_bucket(oss.PutBucketRequest(bucket=fresh_name))
    return fresh_name

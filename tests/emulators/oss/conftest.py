"""Running emulators, and clients of the official OSS SDK that reach them through the proxy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.alicloud.oss.api import ObjectStorage
from emulators.testing import Running, running

Clients = Callable[..., Any]


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, running(home, lambda world: [ObjectStorage(world)]) as it:
        for name, value in it.environment.items():
            patch.setenv(name, value)
        yield it


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
def bucket(client: Any) -> str:
    """The name of a new bucket."""
    name = f"test-{next(_numbers)}"
    client.put_bucket(oss.PutBucketRequest(bucket=name))
    return name


def refusal(call: Callable[[], Any]) -> Any:
    """Return the service error that a call is refused with."""
    with pytest.raises(oss.exceptions.OperationError) as caught:
        call()
    error = caught.value.unwrap()
    assert isinstance(error, oss.exceptions.ServiceError), error
    return error

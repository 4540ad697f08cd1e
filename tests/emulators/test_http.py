"""What clients send wrongly is answered by the service that they asked, in its own words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulators.testing import Running, running

NO_UTF8 = b"Action=DescribeVpcs&grant_type=\xff\xfe&Name=\xc3"


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as it:
        yield it


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://login.sfcrmproducts.cn/services/oauth2/token", "unsupported_grant_type"),
        ("http://vpc.cn-shanghai.aliyuncs.com/", "Missing"),
        ("http://oss-cn-shanghai.aliyuncs.com/", "AccessDenied"),
    ],
)
def test_a_form_that_is_not_utf_8_gets_the_service_s_own_error(emulators: Running, url: str, said: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = requests.post(url, data=NO_UTF8, headers=headers, proxies=emulators.proxies)
    assert 400 <= reply.status_code < 500, reply.text
    assert said in reply.text

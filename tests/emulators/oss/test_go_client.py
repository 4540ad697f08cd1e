"""What the Go SDK of the Terraform provider sends otherwise than the Python SDK does."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
import requests

from emulators.testing import Running
from tests.emulators.oss.oss_calls import put_bucket_as_go


def test_a_version_4_signature_over_a_plain_date_is_taken(emulators: Running, fresh_name: str) -> None:
    assert put_bucket_as_go(fresh_name, {}).status_code == 200


@pytest.mark.parametrize(
    ("seconds", "code"), [(-16 * 60, "RequestTimeTooSkewed"), (16 * 60, "RequestTimeTooSkewed"), (-14 * 60, "")]
)
def test_a_plain_date_may_be_wrong_by_a_quarter_of_an_hour(
    emulators: Running, fresh_name: str, seconds: int, code: str
) -> None:
    reply = put_bucket_as_go(fresh_name, {}, formatdate(time.time() + seconds, usegmt=True))
    assert (f"<Code>{code}</Code>" in reply.text) == bool(code)
    assert reply.status_code == (403 if code else 200)


def test_a_date_changed_after_signing_is_refused(emulators: Running, fresh_name: str) -> None:
    signed = put_bucket_as_go(fresh_name, {}).request
    signed.headers["Date"] = formatdate(time.time() - 60, usegmt=True)
    with requests.Session() as session:
        settings = session.merge_environment_settings(signed.url, {}, None, None, None)
        reply = session.send(signed, **settings)
    assert "<Code>SignatureDoesNotMatch</Code>" in reply.text


@pytest.mark.parametrize(("acl", "kept"), [("", "private"), ("public-read", "public-read")])
def test_an_empty_acl_at_creation_means_private(make_client: Any, fresh_name: str, acl: str, kept: str) -> None:
    """The Terraform provider sends `x-oss-acl:` with nothing behind it."""
    made = put_bucket_as_go(fresh_name, {"x-oss-acl": acl})
    assert made.status_code == 200, made.text
    assert make_client().get_bucket_acl(oss.GetBucketAclRequest(bucket=fresh_name)).acl == kept


def test_an_unknown_acl_at_creation_is_refused(emulators: Running, fresh_name: str) -> None:
    assert "<Code>InvalidArgument</Code>" in put_bucket_as_go(fresh_name, {"x-oss-acl": "open"}).text

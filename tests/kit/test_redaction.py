"""Secrets are masked by their shape, wherever they stand."""

import io
import logging

import pytest

from kit.logfilter import RedactingFilter
from kit.redaction import MASK, redact

SECRETS = {
    "alibaba access key id": "LTAI" + "5tExampleExample0001",
    "alibaba sts key id": "STS." + "NUexampleexample0123456",
    "salesforce session id": "00D000000000001!" + "AQ0AQexampleexampleexample.example",
    "salesforce refresh token": "5Aep861" + "exampleexampleexample.example",
    "json web token": "eyJhbGciOiJSUzI1NiJ9." + "eyJpc3MiOiJleGFtcGxlIn0." + "c2lnbmF0dXJlZXhhbXBsZQ",
    "private key": "-----BEGIN PRIVATE KEY-----\nMIIexample\n-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize("shape", SECRETS)
def test_a_secret_is_masked_wherever_it_stands(shape: str) -> None:
    secret = SECRETS[shape]
    masked = redact(f"before {secret} after")
    assert secret not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "client_secret=abcdef123456",
        '"refresh_token": "abcdef123456"',
        "Authorization: Bearer abcdef1234567890abcdef",
        "AccessKeySecret: abcdef123456",
    ],
)
def test_a_named_secret_is_masked_and_its_name_stays(text: str) -> None:
    masked = redact(text)
    assert "abcdef123456" not in masked
    assert masked.startswith(text[:6])
    assert MASK in masked


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Deploying 12 components to china-uat (0Af000000000001): force-app/main, https://acme.my.sfcrmproducts.cn"
    assert redact(text) == text


def test_a_log_record_s_arguments_and_exception_are_masked() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("redaction-test")
    logger.addHandler(handler)
    try:
        raise ValueError(SECRETS["json web token"])
    except ValueError:
        logger.exception("token %s", SECRETS["salesforce session id"])
    assert SECRETS["json web token"] not in stream.getvalue()
    assert SECRETS["salesforce session id"] not in stream.getvalue()
    assert "ValueError" in stream.getvalue()

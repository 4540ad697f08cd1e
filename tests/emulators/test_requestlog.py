"""The request log: what it says, what it must never say, and what it survives."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators import requestlog
from emulators.http import Request
from emulators.requestlog import RequestLog, action_of

SOAP = (
    b'<?xml version="1.0"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header/>'
    b'<env:Body>\n<n1:deploy xmlns:n1="x"><n1:ZipFile>AAAA</n1:ZipFile></n1:deploy></env:Body></env:Envelope>'
)


@pytest.mark.parametrize(
    ("request_", "action"),
    [
        (Request("POST", "h", "/", {"x-acs-action": "CreateVpc"}), "CreateVpc"),
        (Request("POST", "h", "/?Action=DescribeVpcs"), "DescribeVpcs"),
        (Request("POST", "h", "/", {"content-type": "application/x-www-form-urlencoded"}, b"Action=A"), "A"),
        (Request("POST", "h", "/", {"soapaction": '"login"', "content-type": "text/xml"}, SOAP), "login"),
        (Request("POST", "h", "/", {"soapaction": '""', "content-type": "text/xml; charset=utf-8"}, SOAP), "deploy"),
        (Request("GET", "h", "/services/data"), ""),
    ],
)
def test_the_action_is_found_where_each_api_has_it(request_: Request, action: str) -> None:
    assert action_of(request_) == action


@pytest.mark.parametrize(
    "target",
    [
        "/secur/frontdoor.jsp?sid=00D000000000001%21ARQAQsecretsecretsecretsecret",
        "/a?OSSAccessKeyId=LTAIemulatorEXAMPLE00001&Signature=secretsecret%2B%3D",
        "/a?x-oss-signature=secretsecretsecret",
        "/services/oauth2/token?assertion=eyJhbGciOi.eyJzdWIiOiJh.secretsecret&refresh_token=secretsecret",
    ],
)
def test_no_secret_in_a_url_is_written(tmp_path: Path, target: str) -> None:
    log = RequestLog(tmp_path / "log")
    log.write(Request("GET", "h", target, {"authorization": "Bearer secret"}, b"secret"), 200, 0, 0)
    text = (tmp_path / "log").read_text()
    assert "secretsecret" not in text
    assert "LTAI" not in text
    assert "[redacted]" in text


def test_a_line_that_a_killed_process_left_is_passed_over(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    log.write(Request("GET", "h", "/1"), 200, 0, 0)
    with (tmp_path / "log").open("a") as file:
        file.write('{"time": "20\n')
    log.write(Request("GET", "h", "/2"), 200, 0, 0)
    assert [entry["path"] for entry in log.tail(10)] == ["/1", "/2"]


def test_a_full_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestlog, "_FULL_BYTES", 300)
    log = RequestLog(tmp_path / "log")
    for number in range(10):
        log.write(Request("GET", "h", f"/{number}"), 200, 0, 0)
    assert log.tail(1)[0]["path"] == "/9"
    assert (tmp_path / "log.1").exists()
    assert (tmp_path / "log").stat().st_size < 600


def test_a_log_that_cannot_be_written_counts_what_was_lost(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    log = RequestLog(tmp_path / "log")
    log.write(Request("GET", "h", "/"), 200, 0, 0)
    assert log.lost == 1

"""A job of CI on a host of one's own: the keys of the instance's role, from a metadata service as ECS has it."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipelines.instance import keys
from pipelines.oidc import Denied, hand_over

TOKEN = "a-token-of-the-instance"
ROLE = "ci-check"
SECRET = "s3cret with 'quotes'"


class Metadata(BaseHTTPRequestHandler):
    """Answers as the metadata service in its hardened mode: without a token nothing."""

    role = ROLE

    def do_PUT(self) -> None:
        seconds = int(self.headers["X-aliyun-ecs-metadata-token-ttl-seconds"])
        asked = self.path == "/latest/api/token" and 1 <= seconds <= 21600
        self.answer(200 if asked else 400, TOKEN)

    def do_GET(self) -> None:
        folder = "/latest/meta-data/ram/security-credentials/"
        if self.headers["X-aliyun-ecs-metadata-token"] != TOKEN:
            self.answer(403, "")
        elif self.path == folder and self.role:
            self.answer(200, self.role)
        elif self.role and self.path == folder + self.role:
            held = {"AccessKeyId": "STS.id", "AccessKeySecret": SECRET, "SecurityToken": "token", "Code": "Success"}
            self.answer(200, json.dumps(held))
        else:
            self.answer(404, "")

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody answers there
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_keys_of_the_instances_role_are_exported(metadata: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hand_over(lambda: keys(metadata)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert dict(shlex.split(line)[1].split("=", 1) for line in lines) == {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
        "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
    }


def test_an_instance_without_a_role_is_told_so(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Metadata, "role", "")
    with pytest.raises(Denied, match="has no RAM role"):
        keys(metadata)


def test_a_host_that_is_no_instance_fails_the_eval(capsys: pytest.CaptureFixture[str]) -> None:
    assert hand_over(lambda: keys("http://127.0.0.1:9")) == 1
    told = capsys.readouterr()
    assert told.out == "false\n"
    assert "ECS instances only" in told.err

"""The proxy as clients meet it: real sockets, real TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from emulators.admin import ADMIN_HOST
from emulators.http import Request, Response
from emulators.service import Service, World
from emulators.testing import Running, running

HOST = "echo.example.test"


class Echo:
    """A service that says what it was asked, remembers it, and breaks where it is told to."""

    name = "echo"

    def __init__(self, world: World) -> None:
        self._store = world.store

    def owns(self, host: str) -> bool:
        return host == HOST

    def handle(self, request: Request) -> Response:
        self._store.put("echo", request.path, {})
        if request.path == "/break":
            raise RuntimeError("broken on purpose")
        if request.path == "/nothing":
            return Response(204)
        if request.method == "HEAD":
            return Response(200, headers={"Content-Length": "12345"})
        told = {
            "method": request.method,
            "target": request.target,
            "secure": request.secure,
            "length": len(request.body),
            "header": request.headers.get("x-some"),
        }
        return Response.of_json(told)


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    def echo(world: World) -> list[Service]:
        return [Echo(world)]

    with running(tmp_path_factory.mktemp("home"), echo) as it:
        yield it


@pytest.fixture
def session(emulators: Running) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = emulators.proxies
        session.verify = str(emulators.ca_file)
        yield session


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_answers_for_its_host_name(session: requests.Session, scheme: str) -> None:
    reply = session.post(f"{scheme}://{HOST}/a%20b?c=d", data=b"12345", headers={"X-Some": "中文".encode()})
    assert reply.json() == {
        "method": "POST",
        "target": "/a%20b?c=d",
        "secure": scheme == "https",
        "length": 5,
        "header": "中文",
    }
    assert parsedate_to_datetime(reply.headers["date"]).tzinfo is not None


def test_many_requests_share_one_connection(emulators: Running) -> None:
    context = ssl.create_default_context(cafile=emulators.ca_file)
    client = http.client.HTTPSConnection("127.0.0.1", emulators.port, timeout=5, context=context)
    client.set_tunnel(HOST)
    client.connect()
    first = client.sock
    for number in range(5):
        client.request("POST", f"/{number}", b"x" * number)
        assert f'"target": "/{number}"'.encode() in client.getresponse().read()
    assert client.sock is first
    client.close()


def test_a_chunked_body_arrives_whole(session: requests.Session) -> None:
    pieces = (b"x" * 100_000 for _ in range(10))
    assert session.put(f"https://{HOST}/", data=pieces).json()["length"] == 1_000_000


def test_an_answer_to_head_has_the_length_but_no_body(session: requests.Session) -> None:
    reply = session.head(f"https://{HOST}/")
    assert (reply.headers["content-length"], reply.content) == ("12345", b"")
    assert session.get(f"https://{HOST}/nothing").status_code == 204
    assert session.get(f"https://{HOST}/").status_code == 200


def test_who_expects_100_is_told_to_go_on(emulators: Running) -> None:
    with socket.create_connection(("127.0.0.1", emulators.port), timeout=5) as plain:
        head = f"PUT http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        plain.sendall(head.encode())
        assert plain.recv(1000).startswith(b"HTTP/1.1 100")
        plain.sendall(b"abc")
        assert b'"length": 3' in plain.recv(10_000)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_that_nobody_owns_is_refused_by_name_and_logged(
    session: requests.Session, emulators: Running, scheme: str
) -> None:
    url = f"{scheme}://www.example.com/"
    if scheme == "http":
        reply = session.get(url)
        assert reply.status_code == 403
        assert "www.example.com" in reply.text
    else:
        with pytest.raises(requests.exceptions.ProxyError, match=r"403 www\.example\.com is not emulated"):
            session.get(url)
    entry = emulators.emulators.log.tail(1)[0]
    assert (entry["host"], entry["status"]) == ("www.example.com", 403)


def test_a_handler_that_breaks_answers_500_changes_nothing_and_is_logged(
    session: requests.Session, emulators: Running
) -> None:
    reply = session.get(f"https://{HOST}/break")
    assert (reply.status_code, "echo emulator failed" in reply.text) == (500, True)
    assert emulators.store.get("echo", "/break") is None
    assert "RuntimeError: broken on purpose" in emulators.emulators.log.tail(1)[0]["error"]


def test_a_client_that_does_not_trust_the_authority_is_in_the_log(emulators: Running) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{HOST}/", proxies=emulators.proxies)
    last = time.monotonic() + 5
    while "must trust" not in (said := emulators.emulators.log.tail(1)[0].get("error", "")):
        assert time.monotonic() < last
    assert str(emulators.ca_file) in said


def test_what_is_not_http_gets_a_400_and_hurts_nobody(emulators: Running, session: requests.Session) -> None:
    with socket.create_connection(("127.0.0.1", emulators.port), timeout=5) as plain:
        plain.sendall(b"\x16\x03\x01\x00\r\n\r\n")
        assert plain.recv(1000).startswith(b"HTTP/1.1 400")
    assert session.get(f"https://{HOST}/").status_code == 200


def test_the_port_itself_is_the_admin_s_also_without_a_proxy(emulators: Running) -> None:
    for base in (f"http://127.0.0.1:{emulators.port}", f"http://localhost:{emulators.port}"):
        assert requests.get(f"{base}/status").json()["port"] == emulators.port


def test_a_web_page_cannot_reach_the_admin(emulators: Running) -> None:
    url = f"http://127.0.0.1:{emulators.port}"
    assert requests.post(f"{url}/stop", headers={"Origin": "https://evil.example"}).status_code == 403
    assert requests.get(f"{url}/status", headers={"Host": "evil.example"}).status_code == 403
    assert requests.get(f"{url}/status").status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_admin_host_answers_through_the_proxy(session: requests.Session, scheme: str) -> None:
    assert "documents" in session.get(f"{scheme}://{ADMIN_HOST}/status").json()


def test_the_certificate_is_for_the_very_host(emulators: Running) -> None:
    context = ssl.create_default_context(cafile=emulators.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 does by default
    with socket.create_connection(("127.0.0.1", emulators.port), timeout=5) as plain:
        plain.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(plain, server_hostname=HOST) as secure:
            names = secure.getpeercert()["subjectAltName"]  # type: ignore[index]
    assert names == (("DNS", HOST),)


def test_stopping_ends_open_connections(tmp_path: Path) -> None:
    with running(tmp_path, lambda _: []) as it:
        plain = socket.create_connection(("127.0.0.1", it.port), timeout=5)
        plain.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
    with plain:
        assert plain.recv(1000) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", it.port), timeout=5)

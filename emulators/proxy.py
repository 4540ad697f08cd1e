"""The HTTP proxy on 127.0.0.1: plain proxy requests and CONNECT with TLS ended here. It never opens a connection.

One thread a connection, because a request ends in a handler that holds the store's lock anyway.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import urlsplit

import h11

from emulators.ca import Authority
from emulators.http import Request, Response

HOST = "127.0.0.1"
_IDLE_SECONDS = 120.0
_MOST_BODY_BYTES = 512 * 1024 * 1024
_MOST_HEAD_BYTES = 64 * 1024
_CHUNK = 256 * 1024

Answer = Callable[[Request], "Response | None"]
"""Answers one request; None drops the connection without an answer."""
Refusal = Callable[[str], "Response | None"]
"""Returns why a CONNECT to a host is refused; None when it is let through."""
Untrusted = Callable[[str, str], None]
"""Is told host and reason when a client gives up during the TLS handshake."""


class Proxy:
    """Accepts connections on 127.0.0.1:`port` (0: any free one) from `start` to `stop`."""

    def __init__(self, port: int, authority: Authority, answer: Answer, refusal: Refusal, untrusted: Untrusted) -> None:
        self._authority, self._answer, self._refusal, self._untrusted = authority, answer, refusal, untrusted
        self._listener = socket.create_server((HOST, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._stopping = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, name="emulators-accept", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection, and wait for the requests under way (at most 5 s)."""
        self._stopping.set()
        # A shutdown wakes the accepting thread; closing alone would leave it asleep.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._acceptor.ident is not None:
            self._acceptor.join(5)
        with self._lock:
            under_way = dict(self._open)
        for client in under_way.values():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RD)
        last = time.monotonic() + 5
        for thread in under_way:
            if thread is not threading.current_thread():
                thread.join(max(0.0, last - time.monotonic()))

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                time.sleep(0.05)  # out of file handles: others are about to be closed
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(_IDLE_SECONDS)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            with self._lock:
                self._open[thread] = client
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            target = _Exchange(client).run(self._plain_answer, self._connect_refusal)
            if target is not None:
                self._serve_tls(client, target)
        except (OSError, h11.ProtocolError):
            pass  # the client went away, or speaks no HTTP
        finally:
            client.close()
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def _serve_tls(self, client: socket.socket, host: str) -> None:
        secure = client
        try:
            secure = self._authority.context(host).wrap_socket(client, server_side=True)
            with self._lock:
                self._open[threading.current_thread()] = secure
            _Exchange(secure).run(lambda request: self._answer(_as_tls(request, host)), _no_connect)
        except ssl.SSLError as error:
            # Under TLS 1.3 a client's refusal of the certificate arrives only with the first read.
            if "ALERT" in (error.reason or ""):
                self._untrusted(host, str(error))
        finally:
            secure.close()

    def _plain_answer(self, request: Request) -> Response | None:
        if "://" in request.target:
            url = urlsplit(request.target)
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            host = (url.hostname or "").lower()
            return self._answer(Request(request.method, host, target, request.headers, request.body, False))
        return self._answer(Request(request.method, request.host, request.target, request.headers, request.body, False))

    def _connect_refusal(self, authority: str) -> Response | None:
        return self._refusal(host_of(authority))


class _Exchange:
    """The requests and replies on one connection, one after the other."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEAD_BYTES)

    def run(self, answer: Answer, refusal: Refusal) -> str | None:
        """Serve until the connection ends; return the host when it turned into a tunnel, else None."""
        while True:
            try:
                head = self._next()
                if not isinstance(head, h11.Request):
                    return None
                body = b"".join(self._body())
            except h11.RemoteProtocolError as error:
                self._send("GET", Response(error.error_status_hint, f"{error}\n".encode()), close=True)
                return None
            method, target = head.method.decode(), head.target.decode("latin-1")
            if method == "CONNECT":
                refused = refusal(target)
                if refused is None:
                    self._client.sendall(self._http.send(h11.Response(status_code=200, headers=[])) or b"")
                    return host_of(target)
                # Most clients show of a refused tunnel only the reason phrase.
                reason = f"{host_of(target)} is not emulated, and nothing is ever forwarded"
                self._send(method, refused, close=True, reason=reason)
                return None
            reply = answer(_request(head, method, target, body))
            if reply is None:
                return None
            self._send(method, reply)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return None
            self._http.start_next_cycle()

    def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                self._client.sendall(self._http.send(go_on) or b"")
            self._acknowledge_at_once()
            self._http.receive_data(self._client.recv(_CHUNK))

    def _acknowledge_at_once(self) -> None:
        """Clients that send head and body apart wait for the acknowledgement of the head: 40 ms, if it may be late.

        Linux forgets this wish after each time, and other systems don't have it.
        """
        if quick := getattr(socket, "TCP_QUICKACK", None):
            self._client.setsockopt(socket.IPPROTO_TCP, quick, 1)

    def _body(self) -> Iterator[bytes]:
        size = 0
        while isinstance(event := self._next(), h11.Data):
            size += len(event.data)
            if size > _MOST_BODY_BYTES:
                raise h11.RemoteProtocolError("the body is too large for the emulators", 413)
            yield bytes(event.data)

    def _send(self, method: str, reply: Response, *, close: bool = False, reason: str = "") -> None:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = {name.lower(): value for name, value in reply.headers.items()}
        headers["date"] = formatdate(usegmt=True)
        bodiless = method == "HEAD" or reply.status in (204, 304)
        if reply.status in (204, 304):
            headers.pop("content-length", None)
        elif not (bodiless and "content-length" in headers):
            headers["content-length"] = str(len(reply.body))
        if close:
            headers["connection"] = "close"
        lines = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers.items()]
        phrase = (reason or HTTPStatus(reply.status).phrase).encode()
        out = self._http.send(h11.Response(status_code=reply.status, headers=lines, reason=phrase)) or b""
        if reply.body and not bodiless:
            out += self._http.send(h11.Data(data=reply.body)) or b""
        self._client.sendall(out + (self._http.send(h11.EndOfMessage()) or b""))


def host_of(authority: str) -> str:
    """Return the host of `host:port`, lower case."""
    return (urlsplit(f"//{authority}").hostname or "").lower()


def _request(head: h11.Request, method: str, target: str, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(method, host_of(headers.get("host", "")), target, headers, body)


def _text(raw: bytes) -> str:
    """Return a header value: UTF-8 where it is, as clients send object metadata, else Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _as_tls(request: Request, host: str) -> Request:
    """Return the request as one to the tunnel's host: that is what the certificate vouched for."""
    return Request(request.method, host, request.target, request.headers, request.body, True)


def _no_connect(_: str) -> Response | None:
    return Response(405, b"CONNECT inside a tunnel leads nowhere.\n", {"Content-Type": "text/plain"})

"""The least that a server of objects can be: keeps what is PUT in memory and gives it back. Plain HTTP, no checks.

`python -m benchmarks.plainserver` prints its port of 127.0.0.1 and serves until its stdin is closed.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Objects(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer with a body waits 40 ms for the client's acknowledgement
    held: dict[str, bytes] = {}  # noqa: RUF012  one for all connections is what is meant

    def do_PUT(self) -> None:
        self.held[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.held[self.path])

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr is for faults."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until stdin is closed."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Objects) as server:
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()

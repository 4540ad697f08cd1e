"""A vault that keeps the key of stacks' secrets, as HashiCorp's Transit engine does: `hashivault://`.

From a passphrase the engine derives a key anew at each command, a million rounds that take a processor a second; a
vault is asked. What a passphrase does is seen on the stage, whose stack has one, and where the state lies in OSS.
"""

from __future__ import annotations

import json
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cryptography.fernet import Fernet

ADDRESS = "hashivault://stacks"
"""The key's address, as `pulumi stack init --secrets-provider` takes it."""
MARK = "vault:v1:"
_KEY = Fernet(Fernet.generate_key())


class _Transit(BaseHTTPRequestHandler):
    """Encrypts and decrypts: `PUT /v1/transit/{encrypt,decrypt}/NAME`."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/transit/encrypt/stacks":
            data = {"ciphertext": MARK + _KEY.encrypt(asked["plaintext"].encode()).decode()}
        else:
            assert self.path == "/v1/transit/decrypt/stacks", self.path
            data = {"plaintext": _KEY.decrypt(asked["ciphertext"].removeprefix(MARK)).decode()}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@cache
def environment() -> dict[str, str]:
    """Return what leads the engine to this test process's vault, which answers as long as the process lives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Transit)
    Thread(target=server.serve_forever, name="vault", daemon=True).start()
    return {"VAULT_SERVER_URL": f"http://127.0.0.1:{server.server_port}", "VAULT_SERVER_TOKEN": "tests-only"}

"""The errors of OSS and their shape on the wire."""

from __future__ import annotations

import base64
import json
from functools import cache
from importlib.resources import files

from emulators.alicloud.oss import xml
from emulators.http import Request, Response


class OssError(Exception):
    """An error that OSS answers with. `code` stands in errors.json; `more` are further elements of the answer."""

    def __init__(self, code: str, message: str = "", **more: str) -> None:
        self.status, standard = _table()[code]
        self.code, self.message, self.more = code, message or standard, more
        super().__init__(f"{code}: {self.message}")


def answer(error: OssError, request: Request, request_id: str) -> Response:
    """Return the response for an error. One to HEAD has no body, so it carries the same in `x-oss-err`."""
    if error.status == 304:
        return Response(304)
    body = xml.render(
        "Error",
        {
            "Code": error.code,
            "Message": error.message,
            "RequestId": request_id,
            "HostId": request.host,
            **error.more,
        },
    )
    headers = {"Content-Type": "application/xml"}
    if request.method == "HEAD":
        headers["x-oss-err"] = base64.b64encode(body).decode()
    return Response(error.status, body, headers)


@cache
def _table() -> dict[str, tuple[int, str]]:
    text = (files("emulators.alicloud.oss") / "errors.json").read_text(encoding="utf-8")
    return {code: (int(status), str(message)) for code, (status, message) in json.loads(text)["errors"].items()}

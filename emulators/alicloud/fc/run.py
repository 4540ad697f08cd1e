"""Runs a function's own code for one event: in a process of its own, by its role's temporary keys.

A mounted bucket is a folder that is empty at first; what the code leaves there is put into the bucket by the role, as
far as the role's and the bucket's policies let it. Layers aren't fetched: the code finds the packages that the
emulators run with.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emulators.alicloud.account import AccessKey, access_key
from emulators.alicloud.fc.desk import CODE, FUNCTION
from emulators.alicloud.fc.errors import FunctionError, missing
from emulators.alicloud.kinds import ROLE
from emulators.alicloud.oss.api import ObjectStorage
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.sessions import hand_out, trusts
from emulators.http import Request
from emulators.service import World
from emulators.store import Document

SERVICE = "fc.aliyuncs.com"
START_SECONDS = 60  # an interpreter takes its time on a busy machine; the function's own timeout comes on top
KEY_SECONDS = 3600
# What of the emulators' environment is FC's network, and not the account's owner.
_LED = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

_MAIN = """\
import importlib, json, pathlib, sys, types
given = json.load(sys.stdin)
module, _, name = given["handler"].partition(".")
context = types.SimpleNamespace(credentials=types.SimpleNamespace(**given["credentials"]))
answer = getattr(importlib.import_module(module), name)(given["event"].encode(), context)
pathlib.Path(given["answer"]).write_text(json.dumps(answer))
"""


def run(world: World, region: str, name: str, event: bytes) -> Any:
    """Return what a function answers to an event, as JSON has it.

    Raises `FunctionError` when there is no such function, its role isn't FC's to take on, or the code fails.
    """
    function, code = (world.store.get(kind, f"{region}/{name}") for kind in (FUNCTION, CODE))
    if function is None or code is None:
        raise missing("Function", name)
    key = _key(world, str(function["role"]))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        zipfile.ZipFile(io.BytesIO(base64.b64decode(code["zipFile"]))).extractall(folder / "code")
        mounts = dict(_mounts(function, folder))
        answer = _answer(world, function, key, event, folder, mounts)
        for mount_dir, (bucket, below, there) in mounts.items():
            for file in sorted(path for path in there.rglob("*") if path.is_file()):
                target = f"{below}/{file.relative_to(there).as_posix()}".replace("//", "/")
                _put(world, region, key, bucket, target, file.read_bytes(), mount_dir)
    return answer


def _key(world: World, arn: str) -> AccessKey:
    with world.store.transaction():
        role = world.store.get(ROLE.place, arn.rpartition("/")[2])
        if role is None or not trusts(role, "Service", {SERVICE}, {}):
            raise FunctionError(403, "AccessDenied", f"FC may not take on {arn or 'no role'}.")
        handed = hand_out(world.store, role, "fc", world.now() + KEY_SECONDS)
        key = access_key(world.store, handed["Credentials"]["AccessKeyId"])
        assert key is not None
        return key


def _mounts(function: Document, folder: Path) -> Iterator[tuple[str, tuple[str, str, Path]]]:
    points = (function.get("ossMountConfig") or {}).get("mountPoints") or []
    for number, point in enumerate(points):
        there = folder / f"mount-{number}"
        there.mkdir()
        yield point["mountDir"], (point["bucketName"], point.get("bucketPath") or "/", there)


def _answer(
    world: World,
    function: Document,
    key: AccessKey,
    event: bytes,
    folder: Path,
    mounts: Mapping[str, tuple[str, str, Path]],
) -> Any:
    # Nothing can be mounted at a path of the machine's own: a variable that names the mount names the folder instead.
    own = {
        name: str(mounts[value][2]) if value in mounts else value
        for name, value in (function.get("environmentVariables") or {}).items()
    }
    led = {name: value for name, value in world.environ().items() if name.upper() in _LED}
    credentials = {"access_key_id": key.ident, "access_key_secret": key.secret, "security_token": key.token}
    told = {"handler": function["handler"], "event": event.decode(), "answer": str(folder / "answer.json")}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _MAIN],
            cwd=folder / "code",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "code"), **led, **own},
            input=json.dumps({**told, "credentials": credentials}),
            capture_output=True,
            text=True,
            timeout=int(function["timeout"]) + START_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise FunctionError(408, "InvocationTimeout", f"{function['functionName']} took too long.") from None
    if done.returncode:
        raise FunctionError(424, "UnhandledInvocationError", done.stderr[-2000:])
    return json.loads((folder / "answer.json").read_text(encoding="utf-8"))


def _put(world: World, region: str, key: AccessKey, bucket: str, target: str, body: bytes, mount_dir: str) -> None:
    request = Request("PUT", f"{bucket}.oss-{region}-internal.aliyuncs.com", target, {}, body)
    try:
        with world.store.transaction():
            ObjectStorage(world).perform(request, bucket, region, key)
    except OssError as error:
        raise FunctionError(424, "UnhandledInvocationError", f"{mount_dir}{target}: {error}") from None

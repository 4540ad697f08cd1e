"""Objects through the emulated OSS, beside the same SDK calls to a server that does nothing but hold bytes.

No other emulator speaks OSS's own signature, so the peer is a floor and not a rival: the ratio says what TLS at the
real host name, the checked signature and state that survives a restart cost. It is below 1 by nature.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss

from benchmarks.measure import Row, paired
from emulators.environment import environment
from emulators.lifecycle import start, stop

BUCKET = "sfoa-benchmark"
BODY = b"x" * 1024
REGION = "cn-shanghai"
TASK = "put and get {} objects of 1 KiB with the OSS SDK"
PEER = "the same SDK calls to a bare in-memory HTTP server (a floor)"


def measure(objects: int, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row. Both servers are processes of their own on 127.0.0.1; the emulators' home is in `folder`."""
    with _emulators(folder / "home") as environ, _plain_server() as address, _variables(environ):
        kit, other = _client(f"https://oss-{REGION}.aliyuncs.com"), _client(address, path_style=True)
        _put_bucket(kit)
        return paired(
            Row("objects", TASK.format(objects), PEER),
            lambda: _put_and_get(kit, objects),
            lambda: _put_and_get(other, objects),
            rounds=rounds,
            seconds=seconds,
        )


def _put_and_get(client: Any, objects: int) -> None:
    for number in range(objects):
        client.put_object(oss.PutObjectRequest(bucket=BUCKET, key=f"{number}.json", body=BODY))
    for number in range(objects):
        got = client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=f"{number}.json"))
        assert got.body.read() == BODY


def _client(endpoint: str, *, path_style: bool = False) -> Any:
    config = oss.config.load_default()
    config.region, config.endpoint, config.use_path_style = REGION, endpoint, path_style
    config.credentials_provider = oss.credentials.EnvironmentVariableCredentialsProvider()
    # The bare server has no checksums to give; for a fair pair neither side computes them.
    config.disable_upload_crc64_check = config.disable_download_crc64_check = True
    return oss.Client(config)


def _put_bucket(client: Any) -> None:
    client.put_bucket(oss.PutBucketRequest(bucket=BUCKET))


@contextmanager
def _emulators(home: Path) -> Iterator[Mapping[str, str]]:
    instance, _ = start(home, 0)
    try:
        yield environment(home, instance.port, os.environ)
    finally:
        stop(home)


@contextmanager
def _plain_server() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.plainserver"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.stdin.close()


@contextmanager
def _variables(environ: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

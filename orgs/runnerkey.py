"""The key pair that the release runner proves itself with, for the emulator and for local trials.

In production the private key comes from the CI system's secret store; only its certificate is uploaded to the orgs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kit.problems import Place, Problem, Refused, relative

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

VALID_FOR = timedelta(days=365)
KEY_BITS = 2048  # RS256 is the one algorithm that the JWT bearer flow of Salesforce takes


@dataclass(frozen=True, slots=True)
class RunnerKey:
    """Where the private key and its certificate lie, and whether they were made just now."""

    key: Path
    certificate: Path
    made: bool


def ensure_runner_key(folder: Path, now: datetime | None = None) -> RunnerKey:
    """Return the runner's key pair in `folder`, made there (runner.key mode 0600, runner.crt) if it is absent.

    Raises `Refused` when only one of the two files is there: neither can be made from what is left.
    """
    key, certificate = folder / "runner.key", folder / "runner.crt"
    there = [path for path in (key, certificate) if path.exists()]
    if len(there) == 1:
        missing = certificate if there == [key] else key
        raise Refused(
            Problem(
                f"{missing.name} is missing beside {there[0].name}",
                "the private key and its certificate are made together",
                f"restore {relative(missing)}, or move {relative(there[0])} away to have both made anew",
                Place(relative(there[0])),
            )
        )
    if there:
        return RunnerKey(key, certificate, made=False)
    private, public = _make(now or datetime.now(UTC))
    folder.mkdir(parents=True, exist_ok=True)
    _write(key, private, 0o600)
    _write(certificate, public, 0o644)
    return RunnerKey(key, certificate, made=True)


def _write(path: Path, data: bytes, mode: int) -> None:
    # O_EXCL: of two processes that start at once, one makes the key and the other is told.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)


def certificate_of(key: RSAPrivateKey, now: datetime) -> Certificate:
    """Return a certificate of the runner's key, signed by itself and good for a year."""
    from cryptography import x509  # loaded here: `sfoa federation show` needs no cryptography
    from cryptography.hazmat.primitives import hashes

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sfoa release runner")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
        .sign(key, hashes.SHA256())
    )


def _make(now: datetime) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate_of(key, now).public_bytes(serialization.Encoding.PEM)

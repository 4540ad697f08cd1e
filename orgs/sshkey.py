"""Says whether a line is a well-formed OpenSSH public key, without a cryptography library to load."""

from __future__ import annotations

import base64
import binascii

# Fields behind the type, and the length in bytes of the last one (None: any). RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4.
_FIELDS: dict[str, tuple[int, int | None]] = {
    "ssh-ed25519": (1, 32),
    "ecdsa-sha2-nistp256": (2, 65),
    "ecdsa-sha2-nistp384": (2, 97),
    "ecdsa-sha2-nistp521": (2, 133),
    "ssh-rsa": (2, None),
}
_LEAST_RSA_BYTES = 2048 // 8


def ssh_key_fault(line: str) -> str:
    """Return what is wrong with one line of a .pub file, or "" when it is an acceptable public key."""
    if "PRIVATE KEY" in line:
        return "this is a private key: keep it out of the repository and make a new one"
    words = line.split()
    if len(words) < 2 or "\n" in line:
        return "not one line of type and base64"
    kind, body = words[0], words[1]
    if kind not in _FIELDS:
        return f"unknown key type {kind}"
    try:
        fields = _fields(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        return "damaged: the base64 does not hold a key"
    count, length = _FIELDS[kind]
    if not fields or fields[0] != kind.encode() or len(fields) != count + 1:
        return f"damaged: the base64 does not hold a {kind} key"
    if length is not None and len(fields[-1]) != length:
        return f"damaged: a {kind} key has {length} bytes, this has {len(fields[-1])}"
    if kind == "ssh-rsa" and len(fields[-1].lstrip(b"\0")) < _LEAST_RSA_BYTES:
        return "too short: an RSA key has 2048 bits or more"
    return ""


def _fields(blob: bytes) -> list[bytes]:
    fields = []
    while blob:
        if len(blob) < 4:
            raise ValueError("cut off")
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            raise ValueError("cut off")
        fields.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return fields

"""The encrypted envelope of secure mode.

AES-256-CBC under the EncodingAESKey, whose first 16 bytes are the IV; the plaintext is 16 random bytes, the message's
length (4 bytes, big-endian), the message, and the id of its receiver, padded by PKCS #7 to 32 bytes. WeChat, "Message
encryption and decryption"; WeCom, "Encryption scheme". From knowledge, 2026-11-22.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
HEAD = 20  # random bytes and length


class NotOurs(Exception):
    """A ciphertext that isn't for this receiver, or none at all. Its text never holds any of it."""


def key_of(encoding_aes_key: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey (43 characters). Raises `ValueError` for anything else."""
    key = base64.b64decode(f"{encoding_aes_key}=", validate=True)
    if len(key) != BLOCK:
        raise ValueError("an EncodingAESKey has 43 characters")
    return key


def opened(ciphertext: str, key: bytes, receiver: str) -> bytes:
    """Return the message in `ciphertext` (Base64) for `receiver` (AppId or CorpId). Raises `NotOurs`."""
    try:
        raw = base64.b64decode(ciphertext, validate=True)
    except (binascii.Error, ValueError):
        raise NotOurs("no Base64") from None
    if not raw or len(raw) % 16:
        raise NotOurs("no whole blocks")
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    padded = cipher.update(raw) + cipher.finalize()
    room = padded[-1]
    if not 1 <= room <= BLOCK or padded[-room:] != bytes([room]) * room:
        raise NotOurs("wrong padding")
    plain = padded[:-room]
    end = HEAD + int.from_bytes(plain[16:HEAD], "big")
    if len(plain) < HEAD or end > len(plain) or plain[end:] != receiver.encode():
        raise NotOurs("another receiver")
    return plain[HEAD:end]

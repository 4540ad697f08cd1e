"""Signatures and freshness of callbacks.

WeChat, "Access guide" (signature) and "Message encryption" (msg_signature); WeCom, "Callback configuration": SHA-1 over
the sorted token, timestamp, nonce and, where there is one, ciphertext. From knowledge, 2026-11-22.
"""

from __future__ import annotations

import hashlib
import hmac
import re

TOLERANCE_SECONDS = 300  # how old, or how far ahead, a call's timestamp may be; ours: the platforms name none


def signature_of(*parts: str) -> str:
    """Return the signature of token, timestamp, nonce and ciphertext, in any order."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the platforms' own algorithm


def signed(given: str, *parts: str) -> bool:
    """Return whether `given` is the signature of `parts`; takes the same time wherever the two differ."""
    return hmac.compare_digest(given.encode(), signature_of(*parts).encode())


def fresh(timestamp: str, now: float) -> bool:
    """Return whether a timestamp (seconds since the epoch) is near `now`."""
    return bool(re.fullmatch(r"[0-9]{1,12}", timestamp)) and abs(int(timestamp) - now) <= TOLERANCE_SECONDS

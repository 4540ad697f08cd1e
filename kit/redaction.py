"""Keeps secrets out of what people and logs see, by the shape of the secret and by its name."""

from __future__ import annotations

import re
from functools import cache

MASK = "[redacted]"


@cache
def _shapes() -> tuple[re.Pattern[str], ...]:
    """Return the shapes of what must never be shown. Each pattern masks its group "secret", or the whole match."""
    return (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        re.compile(r"\bLTAI[0-9A-Za-z]{12,28}\b"),  # Alibaba Cloud AccessKey id
        re.compile(r"\bSTS\.[0-9A-Za-z]{16,}\b"),  # Alibaba Cloud temporary AccessKey id
        re.compile(r"\b00D[0-9A-Za-z]{12,15}![0-9A-Za-z._]{20,}"),  # Salesforce session id
        re.compile(r"\b5Aep861[0-9A-Za-z._]{20,}"),  # Salesforce refresh token
        re.compile(r"\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"),  # JSON Web Token
        re.compile(r"\bforce://[^\s@]+@[^\s]+"),  # sfdx auth URL
        re.compile(r"(?i)\b(?:bearer|oauth)\s+(?P<secret>[0-9a-z!._~+/=-]{16,})"),
        re.compile(
            r"(?i)\b(?:access_?key_?secret|secret_?key|client_?secret|consumer_?secret|refresh_?token|access_?token|"
            r"security_?token|password|passphrase|assertion|session_?id|signature)"
            r"[\"']?\s*[:=]\s*[\"']?(?P<secret>[^\s\"',;&<>]{6,})"
        ),
    )


def redact(text: str) -> str:
    """Return `text` with everything that has the shape of a secret replaced by `[redacted]`."""
    for shape in _shapes():
        text = shape.sub(_mask, text)
    return text


def _mask(match: re.Match[str]) -> str:
    whole = match.group(0)
    if match.re.groupindex.get("secret") is None:
        return MASK
    start, end = match.span("secret")
    return whole[: start - match.start()] + MASK + whole[end - match.start() :]

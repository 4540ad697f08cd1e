"""Keeps secrets out of what libraries log."""

from __future__ import annotations

import logging

from kit.redaction import redact


class RedactingFilter(logging.Filter):
    """A logging filter that redacts the finished message and the exception text of every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


def install() -> None:
    """Put the filter on the root logger's handlers, so that no library can log a secret past it."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(f, RedactingFilter) for f in handler.filters):
            handler.addFilter(RedactingFilter())

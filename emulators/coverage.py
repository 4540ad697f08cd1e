"""What clients asked for and nobody emulates. It is kept in the store, so that a gap is found by its name.

What is emulated and was asked for is kept nowhere; who wants to know listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulators.store import Document, Store

_ACTION = "coverage"  # the RPC products write this kind too
_HOST = "coverage.host"
KINDS = frozenset({_ACTION, _HOST})

Listener = Callable[[str, str, str], None]
"""Takes product, version and action; called in the thread that answers."""

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every call that reaches an action's handler in this process, until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def note_call(product: str, version: str, action: str) -> None:
    """Say that a call reached the handler of an action: what comes before it, such as its signature, was in order."""
    for listener in _listeners:
        listener(product, version, action)


def note_action(store: Store, product: str, version: str, action: str) -> None:
    """Count a call of an action that is not emulated; `version` is "" where a product has one only."""
    _count(store, _ACTION, f"{product} {version} {action}", {"product": product, "version": version, "action": action})


def note_host(store: Store, host: str) -> None:
    """Count a request to a host that no service owns."""
    _count(store, _HOST, host, {"host": host})


def unknown_actions(store: Store) -> list[Document]:
    """Return product, version, action and calls of each unknown action that was asked for, most wanted first."""
    return _most_wanted(store, _ACTION)


def refused_hosts(store: Store) -> list[Document]:
    """Return host and calls of each refused host, most wanted first."""
    return _most_wanted(store, _HOST)


def _count(store: Store, kind: str, ident: str, named: Document) -> None:
    before = store.get(kind, ident) or {"calls": 0}
    store.put(kind, ident, named | {"calls": before["calls"] + 1})


def _most_wanted(store: Store, kind: str) -> list[Document]:
    return sorted((row for _, row in store.all(kind)), key=lambda row: -int(row["calls"]))

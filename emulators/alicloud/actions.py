"""Which RPC actions there are: handlers register themselves by product and action."""

from __future__ import annotations

from collections.abc import Callable

from emulators.alicloud.call import Handler
from emulators.alicloud.tables import table

ActionKey = tuple[str, str, str]
"""Product, version, action."""

_HANDLERS: dict[ActionKey, Handler] = {}


def product(name: str, version: str = "") -> Callable[[str], Callable[[Handler], Handler]]:
    """Return a decorator maker for a product's handlers; its version is in `tables/hosts.json` unless it is given."""
    version = version or next(row["version"] for row in table("hosts")["products"] if row["product"] == name)

    def action(title: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            key = (name, version, title)
            if key in _HANDLERS:
                raise ValueError(f"two handlers for {key}")
            _HANDLERS[key] = handler
            return handler

        return register

    return action


def handler(key: ActionKey) -> Handler | None:
    """Return the handler of an action, or None."""
    return _HANDLERS.get(key)


def coverage() -> list[ActionKey]:
    """Return every action that is emulated, sorted."""
    from emulators.alicloud import products

    products.load()
    return sorted(_HANDLERS)

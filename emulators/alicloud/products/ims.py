"""IMS: security preference and password policy of the account."""

from __future__ import annotations

from typing import Any

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.tables import table

_ims, _ram = product("Ims"), product("Ram")

_KIND = "alicloud.account_settings"
_RAM_NAMES = {"HardExpire": "HardExpiry"}
"""What RAM calls otherwise than IMS."""


@_ims("SetSecurityPreference")
def set_security_preference(call: Call) -> Answer:
    _set(call, "security_preference", {k: v for k, (_, v) in table("account_settings")["security_preference"].items()})
    return get_security_preference(call)


@_ims("GetSecurityPreference")
def get_security_preference(call: Call) -> Answer:
    kept = call.store.get(_KIND, "security_preference") or {}
    sections: dict[str, dict[str, Any]] = {}
    for name, (section, default) in table("account_settings")["security_preference"].items():
        sections.setdefault(section, {})[name] = kept.get(name, default)
    return {"SecurityPreference": sections}


@_ims("SetPasswordPolicy")
@_ram("SetPasswordPolicy")
def set_password_policy(call: Call) -> Answer:
    _set(call, "password_policy", table("account_settings")["password_policy"])
    return get_password_policy(call)


@_ims("GetPasswordPolicy")
@_ram("GetPasswordPolicy")
def get_password_policy(call: Call) -> Answer:
    kept = call.store.get(_KIND, "password_policy") or {}
    shown = table("account_settings")["password_policy"] | kept
    return {"PasswordPolicy": shown | {ram: shown[name] for name, ram in _RAM_NAMES.items()}}


def _set(call: Call, ident: str, defaults: dict[str, Any]) -> None:
    """Keep the parameters that were sent, as the kind of value that each has at the start; nothing once all are back
    at that."""
    kept = call.store.get(_KIND, ident) or {}
    for name, default in defaults.items():
        for sent in (name, _RAM_NAMES.get(name, name)):
            if call.has(sent):
                kept[name] = _value(call, sent, default)
    if all(kept.get(name, default) == default for name, default in defaults.items()):
        call.store.delete(_KIND, ident)
    else:
        call.store.put(_KIND, ident, kept)


def _value(call: Call, name: str, default: Any) -> Any:
    if isinstance(default, bool):
        return call.flag(name, default)
    if isinstance(default, int):
        return call.number(name, default)
    if isinstance(default, list):
        return call.strings(name)
    return call.get(name)

"""Calls of IDaaS EIAM (2021-12-01) through its official SDK, and what its dynamic providers have in common."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from pulumi import dynamic

from infra.account import AUTHORITIES, KEY_ID, KEY_SECRET, TOKEN, first_of

MISSING = ("EntityNotFound", "EntityNotExist", "ResourceNotFound")
THROTTLED = "Throttling"
TRIES = 6  # of a throttled call; the pauses between them are 1, 2, 4, 8 and 16 seconds
PAGE = 100
TIMEOUT_MS = 30_000


class CallRefused(Exception):
    """A call that the service refused. `code` is the service's."""

    def __init__(self, action: str, code: str, message: str) -> None:
        super().__init__(f"EIAM {action}: {code}: {message}")
        self.code = code


class Missing(CallRefused):
    """A call about something that isn't there."""


@dataclass(frozen=True, slots=True)
class Eiam:
    """IDaaS EIAM of a region, with the credentials, the proxy and the authorities of the environment.

    Without an AccessKey there, the SDK's own chain (OIDC, CLI profile, instance role) looks for credentials.
    """

    region: str

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to an action, both under their documented names.

        Raises `Missing`, or `CallRefused` for any other refusal. A throttled call is tried again.
        """
        from alibabacloud_eiam20211201 import models
        from Tea.exceptions import TeaException

        method = getattr(self._client(), re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
        for attempt in range(TRIES):
            try:
                request = getattr(models, f"{action}Request")().from_map(parameters)
                answer: dict[str, Any] = method(request).body.to_map()
            except TeaException as failed:
                code = str(failed.code)
                if code.startswith(THROTTLED) and attempt + 1 < TRIES:
                    time.sleep(2**attempt)
                    continue
                refused = Missing if code.startswith(MISSING) else CallRefused
                raise refused(action, code, str(failed.message)) from None
            return answer
        raise AssertionError("every try ends in an answer or a refusal")

    def rows(self, action: str, field: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list, of all its pages."""
        # An action knows the one way of paging or the other; the SDK drops what its request doesn't know.
        seen, token = 0, None
        for number in itertools.count(1):
            paging = {"PageNumber": number, "PageSize": PAGE, "NextToken": token, "MaxResults": PAGE}
            answer = self.call(action, **parameters, **paging)
            found, token = answer.get(field) or [], answer.get("NextToken")
            yield from found
            seen += len(found)
            if not found or seen >= int(answer.get("TotalCount") or 0):
                return

    def _client(self) -> Any:
        from alibabacloud_eiam20211201.client import Client
        from alibabacloud_tea_openapi.models import Config

        config = Config(
            region_id=self.region,
            ca=first_of(os.environ, AUTHORITIES) or None,
            connect_timeout=TIMEOUT_MS,
            read_timeout=TIMEOUT_MS,
        )
        if first_of(os.environ, KEY_ID) and first_of(os.environ, KEY_SECRET):
            config.access_key_id = first_of(os.environ, KEY_ID)
            config.access_key_secret = first_of(os.environ, KEY_SECRET)
            config.security_token = first_of(os.environ, TOKEN) or None
        else:
            from alibabacloud_credentials.client import Client as Chain

            config.credential = Chain()
        return Client(config)


class EiamProvider(dynamic.ResourceProvider):
    """What the providers of EIAM share: a difference is one between single properties, found by their names.

    State holds what the service says, under the inputs' names. So what someone changed by hand is found by
    `pulumi refresh` and put right by the next `pulumi up`.
    """

    # What the engine keeps of a provider is a reference to its class: no secret, and the same after every release.
    serialize_as_secret_always = False
    immutable: ClassVar[tuple[str, ...]] = ("region", "instance_id")
    mutable: ClassVar[tuple[str, ...]] = ()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Return which properties differ, and whether one of them can't be changed."""
        changed = [name for name in (*self.immutable, *self.mutable) if not same(_olds.get(name), _news.get(name))]
        replaces = [name for name in changed if name in self.immutable]
        # Deleted first: what is made is looked for by its name, and the old one would be found.
        return dynamic.DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=True)

    def state(self, ident: str, props: dict[str, Any]) -> dict[str, Any]:
        """Return all properties as the service has them. Raises `Missing`."""
        raise NotImplementedError

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Return what stands, or no id when nothing does."""
        try:
            return dynamic.ReadResult(id_, self.state(id_, props))
        except Missing:
            return dynamic.ReadResult("", {})


def same(old: object, new: object) -> bool:
    """Return whether two values are the same; nothing, an empty text and an empty list are."""
    return (old or None) == (new or None)


def ours(found: dict[str, Any], description: str, what: str, fix: str) -> None:
    """Check that what was found under a name was made by this stack. Raises `ValueError` with the fix."""
    if found.get("Description") != description:
        raise ValueError(f"{what} stands already, and this stack didn't make it: {fix}")

"""The callback itself: who calls, whether it is true and new, and what the org is told."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.functions.callback.envelope import NotOurs, opened
from infra.functions.callback.message import Malformed, Message, message, parse
from infra.functions.callback.salesforce import NotPublished
from infra.functions.callback.seen import Seen, State
from infra.functions.callback.signature import fresh, signed

MOST_BYTES = 64 * 1024
MOST_ECHO = 256
WECOM = "wecom"
Publish = Callable[[Mapping[str, object]], None]
_log = logging.getLogger("callback")


@dataclass(frozen=True)
class Channel:
    """What a platform and we share. `receiver` is the AppId or CorpId that its messages are for."""

    token: str = field(repr=False)
    key: bytes = field(repr=False)
    receiver: str


@dataclass(frozen=True)
class Call:
    """An HTTP call. `path` is the route; `query` is decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """Status and text of an answer, and the outcome for the log: never anything of the message."""

    status: int
    text: str
    outcome: str


class Callback:
    """Answers the platforms. `publish` gets the fields of the platform event; `now` is in seconds since the epoch."""

    def __init__(self, channels: Mapping[str, Channel], publish: Publish, now: Callable[[], float] = time.time) -> None:
        self._channels, self._publish, self._now = channels, publish, now
        self._seen = Seen()

    def answer(self, call: Call) -> Reply:
        """Return the answer to a call; nothing is raised."""
        name = call.path.strip("/")
        channel = self._channels.get(name)
        reply = Reply(404, "", "unknown-channel") if channel is None else self._answer(name, channel, call)
        _log.info("channel=%s outcome=%s status=%d", name if channel else "?", reply.outcome, reply.status)
        return reply

    def _answer(self, name: str, channel: Channel, call: Call) -> Reply:
        if not fresh(call.query.get("timestamp", ""), self._now()):
            return Reply(403, "", "stale")
        if call.method == "GET":
            return _echo(name, channel, call.query)
        if call.method != "POST":
            return Reply(405, "", "method")
        if len(call.body) > MOST_BYTES:
            return Reply(413, "", "too-large")
        try:
            encrypted = parse(call.body).get("Encrypt")
            if not isinstance(encrypted, str) or not _signed(channel, call.query, encrypted):
                return Reply(403, "", "unsigned")
            told = message(name, opened(encrypted, channel.key, channel.receiver))
        except NotOurs:
            return Reply(403, "", "not-ours")
        except Malformed:
            return Reply(400, "", "malformed")
        return self._pass_on(name, told)

    def _pass_on(self, name: str, told: Message) -> Reply:
        state = self._seen.begin(told.key, self._now())
        if state is State.DONE:
            return Reply(200, "success", "duplicate")
        if state is State.PENDING:
            return Reply(503, "", "pending")
        try:
            self._publish(fields_of(name, told))
        except NotPublished as error:
            self._seen.failed(told.key)
            _log.error("channel=%s not published: %s", name, error)
            return Reply(503, "", "not-published")
        except BaseException:
            self._seen.failed(told.key)
            raise
        self._seen.done(told.key)
        return Reply(200, "success", "published")


def fields_of(channel: str, told: Message) -> dict[str, object]:
    """Return the platform event of a message. Its fields are custom ones of these names; `Payload__c` is long text."""
    return {
        "Channel__c": channel,
        "MessageKey__c": told.key,
        "Type__c": told.text("MsgType"),
        "Event__c": told.text("Event"),
        "Sender__c": told.text("FromUserName"),
        "Payload__c": json.dumps(told.fields, ensure_ascii=False),
    }


def _echo(name: str, channel: Channel, query: Mapping[str, str]) -> Reply:
    """Answer the platform that checks the address: WeCom encrypts what is to be echoed, WeChat doesn't."""
    text = query.get("echostr", "")
    if name == WECOM:
        if not _signed(channel, query, text):
            return Reply(403, "", "unsigned")
        try:
            return Reply(200, opened(text, channel.key, channel.receiver).decode("utf-8", "replace"), "echo")
        except NotOurs:
            return Reply(403, "", "not-ours")
    parts = (channel.token, query.get("timestamp", ""), query.get("nonce", ""))
    if not signed(query.get("signature", ""), *parts):
        return Reply(403, "", "unsigned")
    # The signature doesn't cover the text, so only what the platforms send (digits and letters) is given back.
    return Reply(200, text, "echo") if text.isalnum() and len(text) <= MOST_ECHO else Reply(400, "", "malformed")


def _signed(channel: Channel, query: Mapping[str, str], encrypted: str) -> bool:
    parts = (channel.token, query.get("timestamp", ""), query.get("nonce", ""), encrypted)
    return signed(query.get("msg_signature", ""), *parts)

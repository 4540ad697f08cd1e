"""Resources in the store: how they are named, found, listed, and when they become ready."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.tables import delay
from emulators.store import Document

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Kind:
    """A kind of resource. Its documents hold `id`, `region`, `created`, `ready` (seconds since the epoch), `tags`,
    and, with a capital letter first, the fields that the product shows.

    `prefix` begins each id; `missing` is the code of the product's not-found error. What is not `regional` is the
    same in every region.
    """

    name: str
    prefix: str
    missing: str
    regional: bool = True

    @property
    def place(self) -> str:
        """The kind of the store's documents."""
        return f"alicloud.{self.name}"

    def create(self, call: Call, tags: dict[str, str] | None = None, ident: str = "", **fields: Any) -> Document:
        """Create, keep and return a resource; ids that are not given are the same in every run."""
        made = f"{self.prefix}{identifier(f'{self.name} {call.store.next(self.place)}')}"
        document: Document = {
            "id": ident or made,
            "region": call.region,
            "created": call.now,
            "ready": call.now + delay(self.name),
            "tags": tags or {},
            **fields,
        }
        self.save(call, document)
        return document

    def save(self, call: Call, document: Document) -> None:
        """Keep what was changed."""
        call.store.put(self.place, document["id"], document)

    def delete(self, call: Call, document: Document) -> None:
        """Forget a resource."""
        call.store.delete(self.place, document["id"])

    def find(self, call: Call, ident: str) -> Document | None:
        """Return the resource of an id in the call's region, or None."""
        document = call.store.get(self.place, ident)
        return document if document and self._here(call, document) else None

    def get(self, call: Call, ident: str) -> Document:
        """Return the resource of an id. Raises `ApiError` with the product's not-found code."""
        document = self.find(call, ident)
        if document is None:
            raise ApiError(self.missing, id=ident)
        return document

    def named(self, call: Call, parameter: str) -> Document:
        """Return the resource whose id a parameter holds. Raises `ApiError` when either is missing."""
        return self.get(call, call.need(parameter))

    def all(self, call: Call, **fields: Any) -> list[Document]:
        """Return the resources of the call's region whose fields have these values, oldest first."""
        return [
            document
            for _, document in call.store.all(self.place)
            if self._here(call, document) and all(document.get(name) == value for name, value in fields.items())
        ]

    def _here(self, call: Call, document: Document) -> bool:
        return not self.regional or bool(document["region"] == call.region)


def identifier(seed: str, length: int = 17) -> str:
    """Return letters and digits that look like the random part of an id, the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def pending(call: Call, document: Document) -> bool:
    """Return whether a resource is still being made or changed."""
    return bool(document["ready"] > call.now)


def status(call: Call, document: Document, waiting: str = "Pending", done: str = "Available") -> str:
    """Return the status that a resource shows now."""
    return waiting if pending(call, document) else done


def change(call: Call, document: Document, **fields: str) -> None:
    """Set fields of a document to the parameters that hold them, where those were sent (an empty one counts)."""
    for field, parameter in fields.items():
        if call.has(parameter):
            document[field] = call.parameters[parameter]


def shown(document: Document) -> Answer:
    """Return the fields that a product shows."""
    return {name: value for name, value in document.items() if name[0].isupper()}


def tag_list(document: Document) -> Answer:
    """Return tags as the describing actions show them."""
    return {"Tag": [{"Key": key, "Value": value} for key, value in document["tags"].items()]}


def tagged(call: Call, documents: Iterable[Document]) -> list[Document]:
    """Return the documents that carry every tag that the call filters by."""
    wanted = call.tags().items()
    return [document for document in documents if wanted <= document["tags"].items()]


def listed(call: Call, parameter: str, documents: Iterable[Document], field: str = "id") -> list[Document]:
    """Return the documents whose field is the value of a filter (or one of a list of values), or all of them."""
    value = call.get(parameter)
    if not value:
        return list(documents)
    values = call.strings(parameter) if value.startswith("[") else value.split(",")
    return [document for document in documents if document.get(field) in values]


def page(call: Call, items: Sequence[Answer], most: int = 50) -> tuple[Sequence[Answer], Answer]:
    """Return the items of the page that was asked for, and the fields that tell which one it is."""
    number = call.number("PageNumber", 1, low=1)
    size = call.number("PageSize", 10, low=1, high=most)
    return items[(number - 1) * size : number * size], {
        "TotalCount": len(items),
        "PageNumber": number,
        "PageSize": size,
        "TotalPages": math.ceil(len(items) / size),
    }

"""The records of an org: what is declared, overlaid by what was written. Checks what is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from emulators.salesforce import ids
from emulators.salesforce.catalog import Catalog, stamp
from emulators.salesforce.errors import RestError
from emulators.salesforce.orgs import Session
from emulators.salesforce.schema import NUMBERS, TEXTS, FieldType, ObjectType
from emulators.salesforce.soql_compare import comparable, instant
from emulators.service import World

Row = dict[str, Any]

_KIND = "salesforce.record"
_REFUSALS = {
    "create": ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "inserted"),
    "update": ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "updated"),
    "delete": ("INSUFFICIENT_ACCESS_OR_READONLY", "deleted"),
}


class Records:
    """The records of one org, as `session` sees and writes them (without a session: as the org itself does)."""

    def __init__(self, world: World, catalog: Catalog, session: Session | None) -> None:
        self._store, self._now = world.store, world.now
        self._catalog, self._session = catalog, session
        self._org = catalog.org
        self._read: dict[str, list[Row]] = {}

    def rows(self, obj: ObjectType, *, deleted: bool = False) -> list[Row]:
        """Return the records of an object, declared ones first; those in the recycle bin only when `deleted`."""
        if obj.name not in self._read:
            merged = {self._key(obj, row): row for row in self._catalog.rows(obj)}
            for ident, document in self._store.all(_KIND, self._place(obj, "")):
                key = ident.rpartition("/")[2]
                merged[key] = {**merged.get(key, {}), **document}
            self._read[obj.name] = list(merged.values())
        rows = self._read[obj.name]
        return rows if deleted else [row for row in rows if not row.get("IsDeleted")]

    def get(self, obj: ObjectType, ident: str) -> Row:
        """Return a record by its id. Raises `RestError` NOT_FOUND, or MALFORMED_ID for what is no id."""
        full = ids.normal(ident)
        if full is None:
            raise RestError(400, "MALFORMED_ID", f"{obj.name} ID: id value of incorrect type: {ident}", ["Id"])
        for row in self.rows(obj, deleted=True):
            if row["Id"] == full:
                if row.get("IsDeleted"):
                    raise RestError(404, "ENTITY_IS_DELETED", "entity is deleted")
                return row
        raise RestError(404, "NOT_FOUND", "The requested resource does not exist")

    def insert(self, obj: ObjectType, values: Mapping[str, Any]) -> str:
        """Create a record and return its id. Raises `RestError` with what Salesforce finds wrong first."""
        self._allowed(obj, "create")
        given = self._checked(obj, values, creating=True)
        missing = [f.name for f in obj.fields.values() if f.required and f.createable and given.get(f.name) is None]
        if obj.name == "PermissionSetAssignment" and not given.keys() & {"PermissionSetId", "PermissionSetGroupId"}:
            missing.append("PermissionSetId")
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise RestError(400, "REQUIRED_FIELD_MISSING", message, missing)
        self._unique(obj, given, None)
        defaults = {f.name: f.default for f in obj.fields.values() if f.default is not None}
        defaults |= {f.name: False for f in obj.fields.values() if f.type == "boolean" and f.default is None}
        caller = self._session.user_id if self._session else None
        owner = {"OwnerId": caller} if obj.field("OwnerId") else {}
        now = stamp(self._now())
        row = defaults | owner | given
        row |= {"CreatedDate": now, "CreatedById": caller, **self._touched(now)}
        number = self._store.next(f"{_KIND}.{self._org.id}.{obj.prefix}")
        row |= {"Id": ids.numbered(obj.prefix, number), "IsDeleted": False}
        return self.put(obj, row | self._named(obj, row, number))

    def put(self, obj: ObjectType, row: Row) -> str:
        """Store a record as it is, unchecked: what the org itself writes. Return its id."""
        self._store.put(_KIND, self._place(obj, row["Id"]), row)
        self._read.clear()
        return str(row["Id"])

    def add(self, obj: ObjectType, **values: Any) -> str:
        """Store a record that the org itself makes (a test result): gives it an id and its times."""
        now = stamp(self._now())
        ident = ids.numbered(obj.prefix, self._store.next(f"{_KIND}.{self._org.id}.{obj.prefix}"))
        caller = self._session.user_id if self._session else None
        born = {"CreatedDate": now, "CreatedById": caller, "IsDeleted": False, **self._touched(now)}
        return self.put(obj, {"Id": ident, **born, **values})

    def update(self, obj: ObjectType, ident: str, values: Mapping[str, Any]) -> None:
        """Change fields of a record. Raises `RestError` with what Salesforce finds wrong first."""
        self._allowed(obj, "update")
        row = self.get(obj, ident)
        given = self._checked(obj, values, creating=False)
        emptied = [f.name for f in obj.fields.values() if f.required and f.name in given and given[f.name] is None]
        if emptied:
            message = f"Required fields are missing: [{', '.join(emptied)}]"
            raise RestError(400, "REQUIRED_FIELD_MISSING", message, emptied)
        self._unique(obj, given, row["Id"])
        written = self._store.get(_KIND, self._place(obj, row["Id"])) or {"Id": row["Id"]}
        changed = written | given | self._touched(stamp(self._now()))
        self.put(obj, changed | self._named(obj, row | given, None))

    def delete(self, obj: ObjectType, ident: str) -> None:
        """Move a record to the recycle bin."""
        self._allowed(obj, "delete")
        row = self.get(obj, ident)
        self.put(obj, row | {"IsDeleted": True} | self._touched(stamp(self._now())))

    def by_external_id(self, obj: ObjectType, field_name: str, value: str) -> tuple[FieldType, Row | None]:
        """Return the field and the record that an external id names. Raises `RestError` NOT_FOUND when the
        field is no external id, 300 when several records have the value."""
        field = obj.field(field_name)
        if field is None or not (field.external_id or field.type == "id"):
            message = f"Provided external ID field does not exist or is not accessible: {field_name}"
            raise RestError(404, "NOT_FOUND", message)
        wanted = comparable(field, value)
        found = [row for row in self.rows(obj) if comparable(field, row.get(field.name)) == wanted]
        if len(found) > 1:
            raise RestError(300, "MULTIPLE_CHOICES", f"{field.name}: more than one record found: {value}")
        return field, found[0] if found else None

    def _checked(self, obj: ObjectType, values: Mapping[str, Any], *, creating: bool) -> Row:
        given: Row = {}
        refused = []
        for name, value in values.items():
            if name == "attributes":
                continue
            field = obj.field(name)
            if field is None:
                raise RestError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {obj.name}")
            if not (field.createable if creating else field.updateable):
                refused.append(field.name)
            given[field.name] = self._value(field, value)
        if refused:
            message = (
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set."
            )
            raise RestError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, refused)
        return given

    def _value(self, field: FieldType, value: Any) -> Any:
        """Return a value as it is kept; "" is kept as null, as Salesforce does."""
        if value is None or value == "":
            return None
        if isinstance(value, (dict, list)):
            raise _undeserializable(field.type, value)
        if field.type in NUMBERS:
            try:
                number = math.nan if isinstance(value, bool) else float(value)
            except (TypeError, ValueError):
                number = math.nan
            if not math.isfinite(number):
                raise _undeserializable(field.type, value)
            return int(number) if field.type == "int" else number
        if field.type == "boolean":
            if not isinstance(value, bool):
                raise _undeserializable("boolean", value)
            return value
        if field.type in ("date", "datetime"):
            try:
                if field.type == "date":
                    return date.fromisoformat(str(value)[:10]).isoformat()
                return stamp(instant(str(value)).timestamp())
            except ValueError as error:
                raise _undeserializable(field.type, value) from error
        if field.type == "reference":
            return self._reference(field, str(value))
        if field.type in TEXTS:
            text = str(value)
            if field.length and len(text) > field.length:
                message = f"{field.label}: data value too large: {text} (max length={field.length})"
                raise RestError(400, "STRING_TOO_LONG", message, [field.name])
            return text
        return value

    def _reference(self, field: FieldType, value: str) -> str:
        full = ids.normal(value)
        targets = [self._catalog.schema.objects.get(name.lower()) for name in field.references]
        prefixes = {target.prefix for target in targets if target}
        if full is None or (prefixes and full[:3] not in prefixes):
            message = f"{field.label} ID: id value of incorrect type: {value}"
            raise RestError(400, "MALFORMED_ID", message, [field.name])
        for target in targets:
            if target and target.prefix == full[:3] and not any(r["Id"] == full for r in self.rows(target)):
                raise RestError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
        return full

    def _unique(self, obj: ObjectType, given: Row, own: str | None) -> None:
        for field in obj.fields.values():
            value = comparable(field, given.get(field.name))
            if not field.unique or value is None:
                continue
            for row in self.rows(obj):
                if row["Id"] != own and comparable(field, row.get(field.name)) == value:
                    message = f"duplicate value found: {field.name} duplicates value on record with id: {row['Id']}"
                    raise RestError(400, "DUPLICATE_VALUE", message, [field.name])

    def _named(self, obj: ObjectType, row: Row, number: int | None) -> Row:
        """Return the name that the org gives: from first and last name, or the record's number."""
        field = obj.name_field
        if field is None or field.createable:
            return {}
        if obj.field("LastName"):
            return {field.name: " ".join(str(row[n]) for n in ("FirstName", "LastName") if row.get(n))}
        return {field.name: f"{number:08}"} if number is not None else {}

    def _touched(self, now: str) -> Row:
        caller = self._session.user_id if self._session else None
        return {"LastModifiedDate": now, "LastModifiedById": caller, "SystemModstamp": now}

    def _allowed(self, obj: ObjectType, operation: str) -> None:
        if operation not in obj.dml:
            code, done = _REFUSALS[operation]
            raise RestError(400, code, f"entity type cannot be {done}: {obj.label}")

    def _place(self, obj: ObjectType, ident: str) -> str:
        return f"{self._org.id}/{obj.name}/{ident}"

    def _key(self, obj: ObjectType, row: Row) -> str:
        return str(row[obj.key_field])


# What the JSON parser calls a value, the first that fits (bool before int, which it is in Python).
_TOKENS: tuple[tuple[type, str], ...] = (
    (str, "VALUE_STRING"),
    (bool, "VALUE_BOOLEAN"),
    (int, "VALUE_NUMBER_INT"),
    (dict, "START_OBJECT"),
    (list, "START_ARRAY"),
)


def _undeserializable(kind: str, value: Any) -> RestError:
    shown = "true" if value is True else "false" if value is False else value
    token = next((name for kinds, name in _TOKENS if isinstance(value, kinds)), "VALUE_NUMBER_FLOAT")
    message = (
        f"Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required "
        "field at [line:1, column:2]"
    )
    return RestError(400, "JSON_PARSER_ERROR", message)

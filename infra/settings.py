"""The stack's config, parsed once into a typed model: every error at once, before anything is registered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.labels import Labels
from infra.limits import limits
from infra.rules import (
    MANAGED_BY,
    AccountId,
    Company,
    Context,
    EgressBandwidth,
    EgressIps,
    ForceDestroy,
    KeptDays,
    KeyRotationDays,
    KmsInstanceId,
    LedgerDays,
    LedgerLocked,
    LogsDays,
    OwnTags,
    Port,
    Region,
    SourceRange,
    VpcCidr,
    Zones,
    nearest,
)
from kit.problems import Problem, Refused
from kit.yamlfile import YamlFile, problems_of, read_yaml

NAMESPACE = "sfoa:"
ACCOUNT_ID = "alicloud:accountId"
STRUCTURES = ("sfoa:network", "sfoa:storage", "sfoa:tags")
ACCOUNT_VARIABLES = ("ALIBABA_CLOUD_ACCOUNT_ID", "ALICLOUD_ACCOUNT_ID")


class Environment(StrEnum):
    """What a stack is for. Production is protected; `local` is the emulator."""

    PRODUCTION = "production"
    STAGING = "staging"
    UAT = "uat"
    TEST = "test"
    DEVELOPMENT = "development"
    LOCAL = "local"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class NetworkSettings(_Section):
    """`sfoa:network`."""

    cidr: VpcCidr = Field(description="Private IPv4 range of the VPC, /16 to /20; it can't be changed later")
    zones: Zones = Field(
        description="Three zones of the region; the first one holds the NAT gateway; their order can't be changed later"
    )
    egress_ips: EgressIps = Field(
        2, description="Public addresses in the egress pool, which the orgs trust; grow it, don't shrink it"
    )
    egress_bandwidth_mbps: EgressBandwidth = Field(20, description="Peak bandwidth of each egress address, in Mbit/s")
    edge_sources: tuple[SourceRange, ...] = Field(
        (), description="Ranges that may reach the edge tier by HTTPS; none unless named"
    )
    data_ports: tuple[Port, ...] = Field(
        (3306, 6379), description="TCP ports on which the app tier reaches the data tier"
    )


class StorageSettings(_Section):
    """`sfoa:storage`. Every span of time is in days."""

    ledger_retention_days: LedgerDays = Field(
        description="For how long no one can change or delete an entry of the release ledger"
    )
    ledger_locked: LedgerLocked = Field(
        True, description="Whether the ledger's retention policy is locked, which can't be taken back"
    )
    logs_retention_days: LogsDays = Field(365, description="For how long access logs are kept")
    releases_retention_days: KeptDays = Field(
        365, description="For how long a replaced or deleted bundle or snapshot can be brought back"
    )
    backups_retention_days: KeptDays = Field(
        90, description="For how long a replaced or deleted backup can be brought back"
    )
    force_destroy: ForceDestroy = Field(
        False, description="Whether `pulumi destroy` empties the buckets; never in production"
    )
    redundancy: Literal["ZRS", "LRS"] = Field("ZRS", description="ZRS over three zones, LRS within one")
    key_rotation_days: KeyRotationDays = Field(365, description="How often the KMS key is rotated")
    kms_instance_id: KmsInstanceId | None = Field(
        None, description="Dedicated KMS instance that holds the key; the shared one when absent"
    )


class Settings(_Section):
    """All that a stack can be told. Credentials are no settings: they come from the environment."""

    company: Company = Field(alias="sfoa:company", description="Short name of the company; begins every name")
    environment: Environment = Field(alias="sfoa:environment", description="What the stack is for")
    region: Region = Field(alias="alicloud:region", description="Region of the Chinese mainland")
    account_type: Literal["Domestic", "International"] = Field(
        alias="alicloud:accountType", description="Site of the account; set, so that no billing API is asked for it"
    )
    account_id: AccountId = Field(
        alias="alicloud:accountId",
        description=f"Account of the stack; when absent, from {ACCOUNT_VARIABLES[0]}",
    )
    network: NetworkSettings = Field(alias="sfoa:network", description="The network")
    storage: StorageSettings = Field(alias="sfoa:storage", description="Buckets and their key")
    tags: OwnTags = Field(
        default_factory=dict, alias="sfoa:tags", description="Tags of your own on everything that takes tags"
    )

    @property
    def production(self) -> bool:
        """Whether what the stack holds must survive a mistake."""
        return self.environment is Environment.PRODUCTION

    @property
    def labels(self) -> Labels:
        """Return the names of this environment."""
        return Labels(self.company, self.environment.value, self.account_id)

    @property
    def all_tags(self) -> dict[str, str]:
        """Return the user's tags and the kit's own."""
        return {**self.tags, **MANAGED_BY, "company": self.company, "environment": self.environment.value}


def read_settings(values: Mapping[str, str], environ: Mapping[str, str], file: YamlFile | None = None) -> Settings:
    """Return the settings that `values` hold: config keys with their namespace → text, structures as JSON.

    `file` is the stack's config file where it is known, for the places of errors; one whose sections differ
    from `values` (`--config-file` was given) is not pointed at.
    Raises `Refused` with every error: key, value, rule, fix and place.
    """
    known = _keys(Settings)
    data: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, text in values.items():
        if key in known or key.startswith(NAMESPACE):
            data[key] = _plain(text) if key in STRUCTURES else text
    place = _in_config(file, data)
    from_environment = next((environ[name] for name in ACCOUNT_VARIABLES if environ.get(name)), None)
    if from_environment and data.setdefault(ACCOUNT_ID, from_environment) != from_environment:
        problems.append(
            Problem(
                f"{ACCOUNT_ID}: the credentials in the environment are for another account, {from_environment}",
                "a stack belongs to one account",
                f"use that account's credentials, or correct {ACCOUNT_ID}",
                place.place((ACCOUNT_ID,)),
                repr(data[ACCOUNT_ID]),
            )
        )
    region = str(data.get("alicloud:region", ""))
    context = Context(
        region=region if region in limits().regions.mainland else "",
        production=data.get("sfoa:environment") == Environment.PRODUCTION,
    )
    try:
        settings = Settings.model_validate(data, context=context)
    except ValidationError as error:
        problems += [_explained(problem) for problem in problems_of(error, place)]
    if problems:
        raise Refused(problems, f"the stack's config is not valid: {len(problems)} to correct; nothing was created")
    return settings


def stack_file(root: Path, stack: str) -> YamlFile | None:
    """Return the config file of `stack` in `root`, or None when the stack's config is kept elsewhere.

    Places in it are relative to `root`: the engine runs the program in a directory below.
    """
    path = root / f"Pulumi.{stack}.yaml"
    return replace(read_yaml(path), name=path.name) if path.is_file() else None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `Pulumi.<stack>.yaml`: what editors complete and check it by."""
    config = _untitled(Settings.model_json_schema(by_alias=True))
    definitions = config.pop("$defs")
    config["required"].remove(ACCOUNT_ID)
    config |= {"additionalProperties": False, "patternProperties": {f"^(?!{NAMESPACE})": {}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack config of the landing zone (Pulumi.<stack>.yaml)",
        "type": "object",
        "required": ["config"],
        "properties": {"config": config},
        "$defs": definitions,
    }


def _untitled(schema: Any) -> Any:
    """Return the schema without pydantic's titles, which only repeat the names of the settings."""
    if isinstance(schema, dict):
        return {key: _untitled(value) for key, value in schema.items() if key != "title"}
    return [_untitled(item) for item in schema] if isinstance(schema, list) else schema


def _in_config(file: YamlFile | None, data: Mapping[str, Any]) -> YamlFile:
    """Return the file as seen from its `config` mapping, without lines where it isn't what the engine read."""
    config = file.data.get("config") or {} if file and isinstance(file.data, dict) else {}
    if file is None or any(config.get(key) != data[key] for key in STRUCTURES if key in data):
        return YamlFile("stack config", {}, {})
    lines = {key[1:]: line for key, line in file.lines.items() if key[:1] == ("config",)}
    return replace(file, lines=lines)


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # the model says what it should have been


def _explained(problem: Problem) -> Problem:
    """Return pydantic's own problems in words that say what to do; ours as they are."""
    key = problem.what.partition(": ")[0]
    if problem.rule == "missing":
        return replace(problem, rule="the setting has no default", fix=f"add {key} to the stack's config")
    if problem.rule == "extra forbidden":
        name = key.rpartition(".")[2]
        return replace(
            problem,
            what=f"{key}: not a setting",
            rule="only settings of the schema, so that a slip of the pen is seen",
            fix=f"remove or rename it{nearest(name, _names())}",
        )
    return problem


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _names() -> set[str]:
    return _keys(Settings) | _keys(NetworkSettings) | _keys(StorageSettings)

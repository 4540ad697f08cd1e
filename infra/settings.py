"""The stack's config, parsed once into a typed model: every error at once, before anything is registered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from infra.labels import Labels
from infra.limits import limits
from infra.rules import MANAGED_BY, AccountId, Company, Context, OwnTags, Region
from infra.sections.audit import AuditSettings
from infra.sections.base import Section
from infra.sections.console import ConsoleSettings
from infra.sections.identity import TAGS, EiamIdentity, IdentitySettings, OrgName, Token
from infra.sections.integration import IntegrationSettings
from infra.sections.ipsec import Key, Tunnel
from infra.sections.network import NetworkSettings
from infra.sections.storage import StorageSettings
from kit.problems import Problem, Refused
from kit.spoken import ABSENT, STRANGE, nearest, secrets_of
from kit.yamlfile import YamlFile, problems_of, read_yaml

NAMESPACE = "sfoa:"
ACCOUNT_ID = "alicloud:accountId"
SCIM_TOKENS = "sfoa:scim_tokens"
TUNNEL_KEYS = "sfoa:tunnel_keys"
SECRETS = (SCIM_TOKENS, TUNNEL_KEYS)
"""Settings that the stack's file holds encrypted, value by value."""
UNION_TAGS = {("sfoa:identity", tag) for tag in TAGS}
ACCOUNT_VARIABLES = ("ALIBABA_CLOUD_ACCOUNT_ID", "ALICLOUD_ACCOUNT_ID")


class Environment(StrEnum):
    """What a stack is for. Production is protected; `local` is the emulator."""

    PRODUCTION = "production"
    STAGING = "staging"
    UAT = "uat"
    TEST = "test"
    DEVELOPMENT = "development"
    LOCAL = "local"


class Settings(Section):
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
    audit: AuditSettings | None = Field(
        None, alias="sfoa:audit", validate_default=True, description="Trail, logs and alarms; off when absent"
    )
    identity: IdentitySettings | None = Field(
        None,
        alias="sfoa:identity",
        discriminator="provider",
        description="Who signs users in to the orgs; off when absent",
    )
    scim_tokens: dict[OrgName, Token] = Field(
        default_factory=dict,
        alias="sfoa:scim_tokens",
        description="For each org that IDaaS EIAM provisions users to, the secret token of its SCIM service",
    )
    tunnel_keys: dict[Tunnel, Key] = Field(
        default_factory=dict,
        alias="sfoa:tunnel_keys",
        validate_default=True,
        description="The pre-shared keys of the tunnels of sfoa:network.link.ipsec, secret: first and second",
    )
    console: ConsoleSettings | None = Field(
        None,
        alias="sfoa:console",
        description="Who gets in to Alibaba Cloud itself, and with which rights; off when absent",
    )
    integration: IntegrationSettings | None = Field(
        None, alias="sfoa:integration", description="Events, callbacks and embedded pages; off when absent"
    )
    tags: OwnTags = Field(
        default_factory=dict, alias="sfoa:tags", description="Tags of your own on everything that takes tags"
    )

    @field_validator("audit", mode="after")
    @classmethod
    def _takes_flow_logs(cls, audit: AuditSettings | None, info: ValidationInfo) -> AuditSettings | None:
        network = info.data.get("network")
        if audit is None and network and network.flow_logs and network.flow_logs.project is None:
            raise PydanticCustomError(
                "setting",
                "{what}",
                {
                    "what": "sfoa:network has flow_logs, and no project takes them",
                    "rule": "flow logs go to an SLS project: the audit's, or one that is named",
                    "fix": "turn sfoa:audit on, or name sfoa:network.flow_logs.project",
                },
            )
        return audit

    @field_validator("scim_tokens", mode="after")
    @classmethod
    def _has_applications(cls, tokens: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        identity = info.data.get("identity")
        strangers = tokens.keys() - set(identity.orgs if isinstance(identity, EiamIdentity) else ())
        if strangers and "identity" in info.data:
            raise PydanticCustomError(
                "setting",
                "{what}",
                {
                    "what": f"no application of IDaaS EIAM signs users in to {', '.join(sorted(strangers))}",
                    "rule": "what provisions users to an org is its application (sfoa:identity, provider: eiam)",
                    "fix": "add the org to sfoa:identity, or remove its token",
                },
            )
        return tokens

    @field_validator("tunnel_keys", mode="after")
    @classmethod
    def _opens_the_tunnels(cls, keys: dict[Tunnel, SecretStr], info: ValidationInfo) -> dict[Tunnel, SecretStr]:
        if "network" not in info.data:
            return keys
        link = info.data["network"].link
        rule = "each tunnel of sfoa:network.link.ipsec has a pre-shared key of its own, and there are no others"
        values = [key.get_secret_value() for key in keys.values()]
        fix = "openssl rand -base64 33 | pulumi config set --path --secret 'sfoa:tunnel_keys.first'; likewise second"
        if keys and not (link and link.ipsec):
            what, fix = "keys, and no tunnels", "add sfoa:network.link.ipsec, or remove the keys"
        elif link and link.ipsec and (missing := sorted(link.ipsec.ends.keys() - keys.keys())):
            what = f"no key of the {' and the '.join(missing)} tunnel"
        elif all(values) and len(set(values)) < len(values):
            what = "both tunnels have one key"
        else:
            return keys
        raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix})

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
    known, structures = _keys(Settings), _structures()
    data: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, text in values.items():
        if key in known or key.startswith(NAMESPACE):
            data[key] = _plain(text) if key in structures else text
    place = _in_config(file, data)
    problems += sorted(_strays(values, place), key=str)
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
        problems += [
            _explained(problem) for problem in problems_of(error, place, tags=UNION_TAGS, secrets=secrets_of(Settings))
        ]
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
    compared = _structures() - {*SECRETS}  # the file holds them encrypted
    if file is None or not all(_alike(config.get(key), data[key]) for key in compared if key in data):
        return YamlFile("stack config", {}, {})
    lines = {key[1:]: line for key, line in file.lines.items() if key[:1] == ("config",)}
    return replace(file, lines=lines)


def _alike(filed: Any, read: Any) -> bool:
    """Return whether the engine read what the file holds; of an encrypted value that can't be seen."""
    if isinstance(filed, dict) and filed.keys() == {"secure"}:
        return True
    if isinstance(filed, dict) and isinstance(read, dict):
        return filed.keys() == read.keys() and all(_alike(filed[key], read[key]) for key in filed)
    if isinstance(filed, list) and isinstance(read, list):
        return len(filed) == len(read) and all(map(_alike, filed, read))
    return bool(filed == read)


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # the model says what it should have been


def _explained(problem: Problem) -> Problem:
    """Return pydantic's own problems in words that say what to do; ours as they are."""
    key = problem.what.partition(": ")[0]
    if problem.rule == ABSENT:
        return replace(problem, rule="the setting has no default", fix=f"add {key} to the stack's config")
    if problem.rule == STRANGE:
        fix = f"remove or rename it{nearest(key.rpartition('.')[2], _names())}"
        return replace(problem, what=f"{key}: not a setting", fix=fix)
    return problem


def _strays(values: Mapping[str, str], place: YamlFile) -> Iterator[Problem]:
    """Yield each setting of ours in a namespace that nobody reads: its part would be off without a word.

    `pulumi config set audit …` writes it in the project's own namespace.
    """
    ours = _keys(Settings)
    for key in values.keys() - ours:
        namespace, _, name = key.partition(":")
        meant = NAMESPACE + name
        if meant in ours and (namespace.startswith("sfoa-") or nearest(f"{namespace.lower()}:", [NAMESPACE])):
            rule = f"the landing zone's settings begin with {NAMESPACE}; in another namespace nobody reads them"
            yield Problem(f"{key}: not a setting", rule, f"rename it: {meant}", place.place((key,)))


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _structures() -> set[str]:
    """Return the settings that are mappings: the engine hands them over as JSON."""
    fields = Settings.model_fields.items()
    return {field.alias or name for name, field in fields if get_origin(field.annotation) is dict or _models(field)}


def _models(field: FieldInfo) -> list[type[BaseModel]]:
    kinds = (field.annotation, *get_args(field.annotation))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _names() -> set[str]:
    return {key for section in _sections(Settings) for key in _keys(section)}


def _sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Return the model and every section below it."""
    yield model
    for field in model.model_fields.values():
        for section in _models(field):
            yield from _sections(section)

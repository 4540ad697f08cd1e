"""The landing zone under mocks: what a program registers, without an engine or a cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.rpc import unwrap_rpc_secret

from infra.landing_zone import LandingZone
from infra.policy.model import SECRET_MARK
from infra.settings import Settings, read_settings, stack_file

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "sfoa-landing-zone"
ACCOUNT = {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"}


@dataclass(frozen=True)
class Registered:
    """One registration as the engine would get it; inputs have their wire names."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    parent: str
    ignored: tuple[str, ...]
    deleted_first: bool
    provider: str
    secrets: tuple[str, ...]
    """Dotted paths of the inputs that are marked secret."""
    secret_outputs: tuple[str, ...]
    replaced_with: object
    """What it is replaced for when it changes, whatever the provider says."""


@dataclass(frozen=True)
class Standing:
    """Everything that one run of the landing zone registered, and the contract's values."""

    resources: tuple[Registered, ...]
    contract: Mapping[str, Any]

    def of(self, type_: str) -> dict[str, Registered]:
        """Return the resources whose type token ends with `type_`, by logical name."""
        return {r.name: r for r in self.resources if r.type.endswith(f":{type_}")}


ARNS = {
    "Role": ("role", "roleName"),
    "SamlProvider": ("saml-provider", "samlProviderName"),
    "OidcProvider": ("oidc-provider", "oidcProviderName"),
}
"""How RAM names what is made: its kind in the ARN, and the argument that the name stands in."""


TUNNELS = "tunnelOptionsSpecifications"


class Cloud(pulumi.runtime.Mocks):
    """Answers each creation with its inputs, an id, and the few outputs that others build on."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ.endswith(":EipAddress"):
            outputs["ipAddress"] = f"203.0.113.{args.name.rpartition('-')[2]}"
        kind = args.typ.rpartition(":")[2]
        if kind in ARNS:
            outputs["arn"] = f"acs:ram::1234567890123456:{ARNS[kind][0]}/{args.inputs[ARNS[kind][1]]}"
        if args.typ.endswith(":SamlApplication"):
            outputs["saml"] = {
                "issuer": f"https://acme.aliyunidaas.com/{args.name}/meta",
                "sso_url": f"https://acme.aliyunidaas.com/{args.name}/sso",
                "certificate": "-----BEGIN CERTIFICATE-----\n",
            }
        if args.typ.endswith(":NatGateway"):
            outputs["snatTableIds"] = "stb-1"
        if args.typ.endswith("apigateway/group:Group"):
            outputs["subDomain"] = "group-cn-shanghai.alicloudapi.com"
        if args.typ.endswith(":GatewayVpnAttachment"):
            ends = [
                each | {"internetIp": f"198.51.100.{each['tunnelIndex']:.0f}"}
                for each in unwrap_rpc_secret(args.inputs[TUNNELS])
            ]
            outputs[TUNNELS] = ends[::-1]  # a set: in any order
        if args.typ.endswith("wafv3/domain:Domain"):
            outputs["cname"] = f"{args.inputs['domain']}.aliyunwaf5.com"
        return (args.inputs.get("bucket") or f"{args.name}-id"), outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> NoReturn:
        raise AssertionError(f"the program reads nothing from the cloud, yet it called {args.token}")


def secrets(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each secret in inputs as they go over the wire."""
    if isinstance(value, dict) and value.get(SECRET_MARK[0]) == SECRET_MARK[1]:
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from secrets(inner, f"{path}.{key}" if path else str(key))


class Recorder(MockMonitor):
    """Keeps every registration whole: mocks alone don't see protect, parent and ignored changes."""

    def __init__(self, stack: str) -> None:
        super().__init__(Cloud())
        self.stack = stack
        self.registered: list[Registered] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the URN that the engine would make: the stack itself is no part of its children's types."""
        above = parent.split("::")[2] if parent else ""
        chain = type_ if above in ("", "pulumi:pulumi:Stack") else f"{above}${type_}"
        return f"urn:pulumi:{self.stack}::{PROJECT}::{chain}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # as the SDK has it
        if request.type != "pulumi:pulumi:Stack":
            inputs = pulumi.runtime.rpc.deserialize_properties(request.object)
            ignored = tuple(request.ignoreChanges)
            self.registered.append(
                Registered(
                    response.urn,
                    request.type,
                    request.name,
                    inputs,
                    request.protect,
                    request.parent,
                    ignored,
                    request.deleteBeforeReplace,
                    request.provider,
                    tuple(secrets(json_format.MessageToDict(request.object))),
                    tuple(request.additionalSecretOutputs),
                    json_format.MessageToDict(request.replacement_trigger),
                )
            )
        return response


def recording(stack: str) -> Recorder:
    """Return a fresh recorder that takes the engine's place."""
    recorder = Recorder(stack)
    pulumi.runtime.set_mocks(recorder.mocks, PROJECT, stack, preview=False, monitor=recorder)
    return recorder


def config_in(root: Path, stack: str) -> dict[str, str]:
    """Return a stack's config as the engine hands it over: structures as JSON text."""
    file = stack_file(root, stack)
    assert file is not None
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in file.data["config"].items()}


@pytest.fixture
def recorder() -> Recorder:
    return recording("local")


@pytest.fixture(name="config_in")
def config_in_fixture() -> Callable[[Path, str], dict[str, str]]:
    return config_in


@pytest.fixture
def config() -> Callable[[str], dict[str, str]]:
    """Return what reads the config of a shipped stack."""
    return lambda stack: config_in(ROOT, stack)


@pytest.fixture(scope="session")
def stand() -> Callable[..., Standing]:
    """Return what brings the landing zone of a shipped stack up under mocks, with config of one's own over it."""

    made: dict[tuple[str, str], Standing] = {}

    def run(stack: str, changes: Mapping[str, str] = {}) -> Standing:
        asked = stack, json.dumps(changes, sort_keys=True)
        if asked not in made:  # a second and more each: what is asked for again stands already
            made[asked] = standing(stack, changes)
        return made[asked]

    return run


def standing(stack: str, changes: Mapping[str, str]) -> Standing:
    """Return what the landing zone of a shipped stack registers, with config of one's own over it."""
    settings: Settings = read_settings({**config_in(ROOT, stack), **changes}, ACCOUNT)
    recorder = recording(stack)
    contract: dict[str, Any] = {}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        zone = LandingZone("landing-zone", settings)
        return pulumi.Output.all(**zone.contract).apply(contract.update)

    program()
    return Standing(tuple(recorder.registered), contract)

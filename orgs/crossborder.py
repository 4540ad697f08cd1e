"""The cross-border register: which hosts are in the mainland, and what leaves it, to whom, on which basis.

A fact that is left out is unknown. The gates ask for it then; they never take it for granted.
"""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kit.problems import Problem, Refused
from kit.yamlfile import YamlFile, parse_model, read_yaml
from orgs.model import Federation, nearest

DEFAULT_FILE = Path(__file__).with_name("cross-border.yml")
SCHEMA_FILE = Path(__file__).with_name("cross-border.schema.json")

Text = Annotated[str, Field(min_length=1)]
Host = Annotated[
    str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$", description="*.x covers every host below x.")
]


class DataClass(StrEnum):
    """What kind of data is in a field or a transfer."""

    BUSINESS = "business"
    PERSONAL = "personal"
    SENSITIVE = "sensitive-personal"


class ImportantData(StrEnum):
    """Whether data is "important data": it is only when an authority notified or published it so (NDSMR Art. 37)."""

    NONE = "none"
    NOT_NOTIFIED = "not-notified"
    NOTIFIED = "notified"


class Purpose(StrEnum):
    """Why data leaves, in the terms in which CBDF Arts. 3 and 5 exempt transfers."""

    BUSINESS = "business-activity"
    CONTRACT = "contract-with-individual"
    STAFF = "human-resources"
    EMERGENCY = "emergency"
    STATUTORY = "statutory-duty"
    OTHER = "other"


class Origin(StrEnum):
    """Where the data was collected."""

    MAINLAND = "mainland"
    ABROAD = "abroad-in-transit"


class FreeTradeZone(StrEnum):
    """Whether a free-trade zone's negative list lets the data pass (CBDF Art. 6)."""

    NONE = "none"
    ON_LIST = "on-negative-list"
    OFF_LIST = "outside-negative-list"


class LegalBasis(StrEnum):
    """The basis of PIPL Art. 13 on which personal information is handled."""

    CONSENT = "consent"
    CONTRACT = "contract"
    STAFF = "human-resources"
    STATUTORY = "statutory-duty"
    EMERGENCY = "emergency"


class MechanismKind(StrEnum):
    """How a transfer is made lawful: the three ways of PIPL Art. 38, or an exemption."""

    EXEMPT = "exempt"
    CONTRACT = "standard-contract"
    CERTIFICATION = "certification"
    ASSESSMENT = "security-assessment"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class MainlandHost(_Entry):
    """A host that is declared to store and serve in the mainland, and who runs it."""

    host: Host
    operator: Text
    as_of: date


class Volume(_Entry):
    """Distinct people since 1 January whose data leaves: `people` not sensitive, `sensitive_people` sensitive."""

    people: int | None = Field(None, ge=0)
    sensitive_people: int | None = Field(None, ge=0)
    as_of: date


class Mechanism(_Entry):
    """The mechanism in force: its kind, the number of the filing or certificate, the last day on which it holds."""

    kind: MechanismKind
    number: str = ""
    valid_until: date | None = None
    exemption: Annotated[str, Field(pattern=r"^R(0[4-9]|10|14)$")] | None = Field(
        None, description="The rule that an exemption is claimed under: R04 to R10, or R14."
    )
    evidence: str = Field("", description="Where the claim is documented: contract, labour rules, zone list, duty.")


class Transfer(_Entry):
    """One flow of data out of the mainland. Remote access from abroad is a transfer too."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]+$")]
    from_orgs: tuple[str, ...] = Field(min_length=1)
    to_org: str | None = None
    recipient: Text
    hosts: tuple[Host, ...] = ()
    links: tuple[str, ...] = Field((), description="Components that link orgs or clouds without a host: Type:FullName.")
    objects: tuple[str, ...] = Field((), description="Objects whose records leave by integrations of these hosts.")
    fields: tuple[str, ...] = Field((), description="Single fields that leave (Object.Field), where not all do.")
    data_classes: frozenset[DataClass] | None = None
    leaves_mainland: bool | None = None
    important_data: ImportantData | None = None
    important_data_notice: str = Field("", description="The notice or catalogue that makes it important data.")
    data_origin: Origin | None = None
    domestic_data_added: bool | None = None
    purpose: Purpose | None = None
    free_trade_zone: FreeTradeZone | None = None
    volume: Volume | None = None
    legal_basis: LegalBasis | None = None
    mechanism: Mechanism | None = None
    impact_assessed_on: date | None = Field(None, description="Day of the impact assessment (PIPIA) report.")
    individuals_notified: bool | None = None
    separate_consent: bool | None = None
    recipient_contract: bool | None = Field(None, description="Contract on purpose, scope and security (NDSMR 12).")
    contract_until: date | None = Field(None, description="Last day of the contract with the recipient.")


class Processing(_Entry):
    """How sensitive personal information of one object is handled in the mainland (PIPL Arts. 28 to 31, 55)."""

    object: Text
    purpose: Text
    notice: Text = Field(description="The privacy notice that tells people, and its version.")
    legal_basis: LegalBasis | None = None
    separate_consent: bool | None = None
    guardian_consent: bool | None = Field(None, description="Consent of a guardian, for children under 14.")
    impact_assessed_on: date | None = None


class Officer(_Entry):
    """Who answers for the protection of personal information (PIPL Art. 52)."""

    name: Text
    contact: Text
    reported_on: date | None = Field(None, description="Day on which the regulator was told the name.")


class Standing(_Entry):
    """Standing duties of the company (rules R16, R19, R22 to R27): what it does, and since when."""

    log_retention_days: int | None = Field(None, ge=0, description="Days for which network logs are kept.")
    classified: bool | None = Field(None, description="Whether data is classified.")
    backed_up: bool | None = Field(None, description="Whether important data is backed up.")
    encrypted: bool | None = Field(None, description="Whether important data is encrypted.")
    record_years: int | None = Field(None, ge=0, description="Years for which assessments and records are kept.")
    people: int | None = Field(None, ge=0, description="People whose personal information the company handles.")
    last_audit_on: date | None = Field(None, description="Day of the last compliance audit (PIPL Art. 54).")
    officer: Officer | None = None
    important_data: ImportantData | None = None
    important_data_owner: str | None = None
    important_data_assessed_on: date | None = None
    leaks_are_notified: bool | None = Field(None, description="Whether a procedure notifies regulator and people.")
    incident_report_hours: int | None = Field(None, ge=0, description="Hours within which an incident is reported.")
    incident_final_report_days: int | None = Field(None, ge=0, description="Days until the final report.")
    vulnerability_report_hours: int | None = Field(None, ge=0, description="Hours until a grave flaw is reported.")


class Register(_Entry):
    """The whole register of one processor (the company)."""

    as_of: date
    critical_infrastructure: bool | None = Field(None, description="Whether the company is a CII operator.")
    mainland_hosts: tuple[MainlandHost, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    processing: tuple[Processing, ...] = ()
    standing: Standing = Standing.model_validate({})

    def is_mainland(self, host: str) -> bool:
        """Return whether `host` is declared to be in the mainland."""
        return any(covers(entry.host, host) for entry in self.mainland_hosts)

    def transfers_of(self, org: str) -> tuple[Transfer, ...]:
        """Return what leaves from the org of that name."""
        return tuple(transfer for transfer in self.transfers if org in transfer.from_orgs)


def covers(pattern: str, host: str) -> bool:
    """Return whether a host pattern ("*.acme.example", "acme.example") covers `host`."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def load_register(path: Path | None, federation: Federation) -> tuple[Register, YamlFile]:
    """Read a register, by default the one beside this module, and the file that leads its entries to their lines.

    Raises `Refused` with every problem: fields that are wrong, a transfer named twice, orgs nobody knows.
    """
    file = read_yaml(path or DEFAULT_FILE)
    register = parse_model(Register, file)
    problems = []
    names = [org.name for org in federation.orgs]
    seen: set[str] = set()
    for at, transfer in enumerate(register.transfers):
        if transfer.id in seen:
            where = file.place(("transfers", at, "id"))
            problems.append(
                Problem(f"{transfer.id} stands twice", "a transfer has an id of its own", "rename it", where)
            )
        seen.add(transfer.id)
        for name in (*transfer.from_orgs, *([transfer.to_org] if transfer.to_org else [])):
            if name not in names:
                rule = "the name of an org of the federation"
                where = file.place(("transfers", at, "from_orgs" if name in transfer.from_orgs else "to_org"))
                problems.append(Problem(f"no org is called {name}", rule, nearest(name, names), where))
    if problems:
        raise Refused(problems, f"{file.name} is not valid")
    return register, file


def schema_text() -> str:
    """Return the JSON Schema of the register, the text of `cross-border.schema.json`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Register.model_json_schema(),
        "title": "The cross-border register",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

"""The section `sfoa:audit`."""

from __future__ import annotations

from pydantic import Field

from infra.rules import Contacts, LogsDays, MailAddress, TrailDays, TrailLocked
from infra.sections.base import Section


class Contact(Section):
    """Someone whom alarms reach by mail; CloudMonitor asks them once to confirm the address."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{1,39}$", description="Name of the contact in CloudMonitor")
    mail: MailAddress = Field(description="Mail address")


class AuditSettings(Section):
    """`sfoa:audit`. Every span of time is in days."""

    trail_retention_days: TrailDays = Field(
        description="For how long no one can change or delete a record of the trail"
    )
    trail_locked: TrailLocked = Field(
        True, description="Whether the retention policy of the trail is locked, which can't be taken back"
    )
    logs_retention_days: LogsDays = Field(365, description="For how long log stores keep logs")
    config_rules: bool = Field(
        True, description="Whether Cloud Config records and checks the account; off where the company does it centrally"
    )
    contacts: Contacts[Contact] = Field((), description="Who is told when something needs a person")

"""One algebra for every name: {company}-{environment}-{area}-{name}, cut to what the service takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from infra.limits import limits

DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Labels:
    """Names of one environment of one company. All are lower-case letters, digits and hyphens."""

    company: str
    environment: str
    account_id: str

    def vpc(self, area: str, name: str) -> str:
        """Return the name of something in the VPC service: network, switch, gateway, address, ACL."""
        return _cut(self._join(area, name), limits().names.vpc)

    def security_group(self, area: str, name: str) -> str:
        """Return the name of a security group."""
        return _cut(self._join(area, name), limits().names.security_group)

    def kms_alias(self, area: str, name: str) -> str:
        """Return the alias of a KMS key, with the prefix that the service demands."""
        return _cut(f"alias/{self._join(area, name)}", limits().names.kms_alias)

    def plain(self, area: str, name: str) -> str:
        """Return the name of something in a service that takes any: rules of Cloud Config, contacts, alarms."""
        return _cut(self._join(area, name), limits().names.config_rule)

    def trail(self, name: str) -> str:
        """Return the name of an ActionTrail trail."""
        return _cut(self._join("trail", name), limits().names.trail)

    def api(self, area: str, name: str) -> str:
        """Return the name of something in API gateway, which takes no hyphen."""
        return _cut(self._join(area, name), limits().names.api).replace("-", "_")

    def app(self) -> str:
        """Return the name of the app by which the environment's orgs call API gateway."""
        return _cut(f"{self.company}-{self.environment}", limits().names.api_app).replace("-", "_")

    def log_project(self, name: str) -> str:
        """Return the name of an SLS project, which like a bucket's is shared by all customers."""
        label = f"{self.company}-{self.environment}-{name}"
        return _with_digest(label, f"{self.account_id}/{label}", limits().names.log_project)

    def log_record(self, area: str, name: str) -> str:
        """Return the id of a record of SLS, which all projects of the account share."""
        return _cut(self._join(area, name), limits().names.log_record)

    def bucket(self, name: str) -> str:
        """Return the name of a bucket.

        Bucket names are shared by all customers of OSS, so every one carries a digest of the account.
        """
        label = f"{self.company}-{self.environment}-{name}"
        return _with_digest(label, f"{self.account_id}/{label}", limits().names.bucket)

    def _join(self, area: str, name: str) -> str:
        return f"{self.company}-{self.environment}-{area}-{name}"


def _cut(label: str, limit: int) -> str:
    """Return `label`, or when it is longer than `limit` its head and a digest that keeps two heads apart."""
    return label if len(label) <= limit else _with_digest(label, label, limit)


def _with_digest(label: str, digested: str, limit: int) -> str:
    digest = hashlib.sha256(digested.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{label[: limit - DIGEST_LENGTH - 1].rstrip('-')}-{digest}"

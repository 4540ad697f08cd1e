"""Who gets in to Alibaba Cloud itself: roles, SSO and MFA for people, OIDC for CI. Nobody gets a long-lived key."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

import pulumi
import pulumi_alicloud as ali

from infra.cloudsso import assign_access
from infra.roles import roles, trusting_ci, trusting_instances, trusting_mfa, trusting_saml
from infra.sections.console import CiRole, ConsoleSettings, PasswordPolicy, SecurityPreference
from infra.settings import Settings
from infra.storage import Storage

AREA = "console"
SECONDS_OF_AN_HOUR = 3600
TOKEN_HOURS = 1  # how old a token of CI may be; jobs fetch one right before they use it


class Console(pulumi.ComponentResource):
    """RAM roles with the rights of `roles.yml`, assumed through SAML, by MFA, by tokens of CI, or by instances.

    Beside them the account's password policy and security preference, and CloudSSO in a management account.
    """

    roles: dict[str, pulumi.Output[str]]
    """ARN of each role, by its name: platform, release-runner, auditor, support, ci-…"""

    def __init__(
        self,
        name: str,
        settings: Settings,
        console: ConsoleSettings,
        storage: Storage,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:identity:Console", name, None, opts)
        self._prefix = name
        self._settings = settings
        self._console = console
        self._storage = storage
        self._kept = pulumi.ResourceOptions(parent=self, protect=settings.production)
        self._policies: dict[str, ali.ram.Policy] = {}
        self.roles = {}
        if console.roles:
            self._people()
        if console.ci:
            self._machines(console.ci)
        if console.password_policy:
            self._passwords(console.password_policy)
        if console.security_preference:
            self._sign_in(console.security_preference)
        if console.cloud_sso:
            assign_access(name, settings, console.cloud_sso, self._kept)
        self.register_outputs({"roles": self.roles})

    def _people(self) -> None:
        trust: pulumi.Input[str] = trusting_mfa(self._settings.account_id)
        if self._console.saml:
            provider = ali.ram.SamlProvider(
                f"{self._prefix}-saml",
                saml_provider_name=self._label("saml"),
                description=f"Signs people in to the roles of {self._settings.labels.plain(AREA, 'roles')}",
                encodedsaml_metadata_document=base64.b64encode(self._console.saml.encode()).decode(),
                opts=self._kept,
            )
            trust = provider.arn.apply(trusting_saml)
        for name, rights in roles().items():
            if rights.people:
                self._role(name, name, trust)

    def _machines(self, ci: Sequence[CiRole]) -> None:
        by_token = [role for role in ci if role.host != "instance"]
        for role in ci:
            if role.host == "instance":
                self._role(f"ci-{role.name}", role.rights, trusting_instances())
        providers = {
            issuer: self._issuer(issuer, [role for role in by_token if role.issuer_url == issuer])
            for issuer in dict.fromkeys(role.issuer_url for role in by_token)
        }
        for role in by_token:
            arn = providers[role.issuer_url].arn
            self._role(f"ci-{role.name}", role.rights, arn.apply(lambda arn, role=role: trusting_ci(arn, role)))

    def _issuer(self, issuer: str, trusting: Sequence[CiRole]) -> ali.ims.OidcProvider:
        host = re.sub(r"[^a-z0-9]+", "-", issuer.removeprefix("https://").lower()).strip("-")
        return ali.ims.OidcProvider(
            f"{self._prefix}-{host}",
            oidc_provider_name=self._label(host),
            description=f"Jobs of CI whose tokens {host} signs",
            issuer_url=issuer,
            client_ids=sorted({role.audience for role in trusting}),
            fingerprints=sorted({item for role in trusting for item in role.fingerprints}),
            issuance_limit_time=TOKEN_HOURS,
            opts=self._kept,
        )

    def _role(self, name: str, rights: str, trust: pulumi.Input[str]) -> None:
        """Make a role and attach what `rights` (a name of the table) gives it."""
        given = roles()[rights]
        role = ali.ram.Role(
            f"{self._prefix}-{name}",
            role_name=self._label(name),
            description=given.about,
            assume_role_policy_document=trust,
            max_session_duration=self._console.session_hours * SECONDS_OF_AN_HOUR,
            tags=self._settings.all_tags,
            opts=self._kept,
        )
        for system in given.system:
            self._attach(f"{name}-{system}", role, system, "System")
        if given.statements:
            self._attach(f"{name}-{rights}", role, self._policy(rights).policy_name, "Custom")
        self.roles[name] = role.arn

    def _attach(self, name: str, role: ali.ram.Role, policy: pulumi.Input[str], kind: str) -> None:
        ali.ram.RolePolicyAttachment(
            f"{self._prefix}-{name}",
            role_name=role.role_name,
            policy_name=policy,
            policy_type=kind,
            opts=self._kept,
        )

    def _policy(self, rights: str) -> ali.ram.Policy:
        """Return the policy of a role's own statements, which is made once."""
        if rights not in self._policies:
            settings, storage = self._settings, self._storage
            names = pulumi.Output.all(
                account=settings.account_id,
                region=settings.region,
                prefix=f"{settings.company}-{settings.environment.value}",
                releases=storage.releases,
                ledger=storage.ledger,
                backups=storage.backups,
                key=storage.kms_key_id,
            )
            self._policies[rights] = ali.ram.Policy(
                f"{self._prefix}-{rights}",
                policy_name=self._label(rights),
                description=roles()[rights].about,
                policy_document=names.apply(roles()[rights].document),
                # RAM keeps five versions: the oldest makes room.
                rotate_strategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
                tags=settings.all_tags,
                opts=self._kept,
            )
        return self._policies[rights]

    def _passwords(self, policy: PasswordPolicy) -> None:
        ali.ram.AccountPasswordPolicy(
            f"{self._prefix}-passwords",
            minimum_password_length=policy.minimum_length,
            require_lowercase_characters=True,
            require_uppercase_characters=True,
            require_numbers=True,
            require_symbols=True,
            max_password_age=policy.max_age_days,
            password_reuse_prevention=policy.reuse_prevention,
            max_login_attempts=policy.max_login_attempts,
            opts=self._kept,
        )

    def _sign_in(self, preference: SecurityPreference) -> None:
        ali.ram.SecurityPreference(
            f"{self._prefix}-sign-in",
            mfa_operation_for_login="mandatory",
            operation_for_risk_login="enforceVerify",
            enable_save_mfa_ticket=False,
            allow_user_to_manage_access_keys=False,
            allow_user_to_manage_mfa_devices=True,
            login_session_duration=preference.session_hours,
            login_network_masks=";".join(preference.login_networks) or None,
            max_idle_days_for_users=preference.idle_days,
            max_idle_days_for_access_keys=preference.idle_days,
            opts=self._kept,
        )

    def _label(self, name: str) -> str:
        return self._settings.labels.plain(AREA, name)

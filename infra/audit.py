"""The audit: who did what in the account, kept where nobody can change it, and people told when it matters."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.buckets import Buckets
from infra.logalerts import alert_contacts
from infra.sections.audit import AuditSettings
from infra.settings import Settings
from infra.storage import Storage
from infra.watch import watch

AREA = "audit"
STORES = ("network", "integration")
SHARDS = 2
SILENCE_SECONDS = 3600  # before the same event is told again
SEPARATORS = ", '\";=()[]{}?@&<>/:\n\t\r"  # between the words of a log line, as the SLS console proposes them


class Audit(pulumi.ComponentResource):
    """An ActionTrail trail of every action in every region, into SLS and a bucket under retention.

    With it the log stores of other components, rules of Cloud Config, alarms and alerts to contacts. The trail's own
    log store, `actiontrail_<trail>`, is made by ActionTrail.
    """

    trail: pulumi.Output[str]
    trail_bucket: pulumi.Output[str]
    log_project: pulumi.Output[str]
    log_stores: dict[str, pulumi.Output[str]]
    """Name of the log store of each purpose of `STORES`."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        audit: AuditSettings,
        storage: Storage,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:audit:Audit", name, None, opts)
        self._prefix = name
        self._settings = settings
        self._audit = audit
        project = self._project()
        self.log_project = project.project_name
        self.log_stores = {store: self._store(store) for store in STORES}
        self.trail_bucket, self.trail = self._trail(project, storage)
        if audit.config_rules:
            self._rules()
        if audit.contacts:
            self._alarms()
            store = self.trail.apply(lambda trail: f"actiontrail_{trail}")
            alert_contacts(name, settings, audit.contacts, self.log_project, store, self._kept())
        self.register_outputs({"trail": self.trail, "trail_bucket": self.trail_bucket, "log_project": self.log_project})

    def _project(self) -> ali.log.Project:
        settings = self._settings
        return ali.log.Project(
            f"{self._prefix}-logs",
            project_name=settings.labels.log_project("logs"),
            description=f"Logs of {settings.company} {settings.environment.value}",
            tags=settings.all_tags,
            opts=self._kept(),
        )

    def _store(self, store: str) -> pulumi.Output[str]:
        made = ali.log.Store(
            f"{self._prefix}-{store}",
            project_name=self.log_project,
            logstore_name=store,
            retention_period=self._audit.logs_retention_days,
            shard_count=SHARDS,
            auto_split=True,
            max_split_shard_count=64,
            append_meta=True,
            opts=self._kept(),
        )
        ali.log.StoreIndex(
            f"{self._prefix}-{store}",
            project=self.log_project,
            logstore=made.logstore_name,
            full_text=ali.log.StoreIndexFullTextArgs(case_sensitive=False, include_chinese=True, token=SEPARATORS),
            opts=self._kept(),
        )
        name: pulumi.Output[str] = made.logstore_name.apply(str)
        return name

    def _trail(self, project: ali.log.Project, storage: Storage) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        settings, audit = self._settings, self._audit
        make = Buckets(self, self._prefix, settings, storage.kms_key_id)
        bucket = make.make("trail")
        # Retained before the first record comes, so that none can be changed.
        retained = make.retain("trail", bucket, audit.trail_retention_days, audit.trail_locked)
        make.log("trail", bucket, storage.logs)
        trail = ali.actiontrail.Trail(
            f"{self._prefix}-trail",
            trail_name=settings.labels.trail("actions"),
            oss_bucket_name=bucket.id,
            sls_project_arn=project.project_name.apply(
                lambda made: f"acs:log:{settings.region}:{settings.account_id}:project/{made}"
            ),
            event_rw="All",
            trail_region="All",
            status="Enable",
            opts=pulumi.ResourceOptions.merge(self._kept(), pulumi.ResourceOptions(depends_on=[retained])),
        )
        return bucket.id, trail.trail_name.apply(str)

    def _rules(self) -> None:
        recorder = ali.cfg.ConfigurationRecorder(f"{self._prefix}-recorder", opts=self._kept())
        for rule in watch().rules:
            ali.cfg.Rule(
                f"{self._prefix}-{rule.name}",
                rule_name=self._settings.labels.plain(AREA, rule.name),
                description=rule.about,
                source_owner="ALIYUN",
                source_identifier=rule.identifier,
                config_rule_trigger_types=rule.trigger,
                resource_types_scopes=list(rule.types),
                risk_level=rule.risk,
                opts=pulumi.ResourceOptions.merge(self._kept(), pulumi.ResourceOptions(depends_on=[recorder])),
            )

    def _alarms(self) -> None:
        contacts = [
            ali.cms.AlarmContact(
                f"{self._prefix}-{contact.name}",
                alarm_contact_name=self._settings.labels.plain(AREA, contact.name),
                describe=f"Alarms of {self._settings.company} {self._settings.environment.value}",
                channels_mail=contact.mail,
                lang="zh-cn",
                # CloudMonitor shows an address only once its owner has confirmed it.
                opts=pulumi.ResourceOptions.merge(
                    self._kept(), pulumi.ResourceOptions(ignore_changes=["channels_mail"])
                ),
            )
            for contact in self._audit.contacts
        ]
        group = ali.cms.AlarmContactGroup(
            f"{self._prefix}-contacts",
            alarm_contact_group_name=self._settings.labels.plain(AREA, "contacts"),
            contacts=[contact.alarm_contact_name for contact in contacts],
            opts=self._kept(),
        )
        for events in watch().events:
            ali.cms.EventRule(
                f"{self._prefix}-{events.product}-events",
                rule_name=self._settings.labels.plain(AREA, f"{events.product}-events"),
                description=events.about,
                status="ENABLED",
                silence_time=SILENCE_SECONDS,
                event_pattern=ali.cms.EventRuleEventPatternArgs(
                    product=events.product, level_lists=list(watch().levels)
                ),
                contact_parameters=[
                    ali.cms.EventRuleContactParameterArgs(
                        contact_parameters_id="1",
                        contact_group_name=group.alarm_contact_group_name,
                        level="3",
                    )
                ],
                opts=self._kept(),
            )

    def _kept(self) -> pulumi.ResourceOptions:
        """Return the options of everything here: an audit that can be switched off by a slip proves nothing."""
        return pulumi.ResourceOptions(parent=self, protect=self._settings.production)

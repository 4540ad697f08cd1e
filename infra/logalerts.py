"""Alerts over the trail's log store: what is wrong the moment it happens, told to the contacts by mail.

Who is told, and how, are records of SLS, which an account has once for all regions and projects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_alicloud as ali

from infra.sections.audit import Contact
from infra.settings import Settings
from infra.watch import LogAlert, watch

AREA = "audit"
DYNAMIC = "sls.builtin.dynamic"  # the alert policy that leaves it to the alert which action policy is taken
WRITTEN_IN = "cn-heyuan"  # SLS takes records there alone, and shows them in every region


def alert_contacts(
    prefix: str,
    settings: Settings,
    contacts: Sequence[Contact],
    project: pulumi.Input[str],
    store: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Make every alert of the table over a log store of a project, and tell these contacts of them."""
    policy = _policy(prefix, settings, contacts, opts)
    for alert in watch().alerts:
        ali.log.Alert(
            f"{prefix}-{alert.name}",
            version="2.0",
            type="default",
            project_name=project,
            alert_name=alert.name,
            alert_displayname=alert.about,
            alert_description=alert.about,
            schedule=ali.log.AlertScheduleArgs(type="FixedRate", interval=watch().every),
            query_lists=[_query(settings, alert, project, store)],
            threshold=1,
            no_data_fire=False,
            send_resolved=False,
            auto_annotation=True,
            annotations=[
                ali.log.AlertAnnotationArgs(key="title", value=alert.about_zh),
                ali.log.AlertAnnotationArgs(key="desc", value=f"{alert.about}; {alert.about_zh}"),
            ],
            severity_configurations=[
                ali.log.AlertSeverityConfigurationArgs(
                    severity=alert.severity, eval_condition={"condition": "", "count_condition": "__count__ > 0"}
                )
            ],
            group_configuration=ali.log.AlertGroupConfigurationArgs(type="no_group"),
            policy_configuration=ali.log.AlertPolicyConfigurationArgs(
                alert_policy_id=DYNAMIC, action_policy_id=policy.record_id, repeat_interval=watch().every
            ),
            opts=opts,
        )


def _query(
    settings: Settings, alert: LogAlert, project: pulumi.Input[str], store: pulumi.Input[str]
) -> ali.log.AlertQueryListArgs:
    return ali.log.AlertQueryListArgs(
        region=settings.region,
        project=project,
        store=store,
        store_type="log",
        query=alert.query,
        # The trail brings an action within some minutes: twice the interval, so that none falls between two looks.
        start=f"-{watch().looks_back}",
        end="now",
        time_span_type="Relative",
        power_sql_mode="auto",
    )


def _policy(
    prefix: str, settings: Settings, contacts: Sequence[Contact], opts: pulumi.ResourceOptions
) -> ali.log.ResourceRecord:
    """Return the action policy that mails to the contacts."""
    provider = ali.Provider(
        f"{prefix}-records",
        region=WRITTEN_IN,
        account_id=settings.account_id,
        account_type=settings.account_type,
        opts=pulumi.ResourceOptions(parent=opts.parent),
    )
    there = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    label = settings.labels.log_record

    def record(name: str, resource: str, ident: str, value: Mapping[str, Any], *after: pulumi.Resource) -> Any:
        return ali.log.ResourceRecord(
            f"{prefix}-{name}",
            resource_name_=resource,
            record_id=ident,
            tag=ident,
            value=json.dumps(value),
            opts=pulumi.ResourceOptions.merge(there, pulumi.ResourceOptions(depends_on=[*after])),
        )

    users = {label(AREA, contact.name): contact for contact in contacts}
    told = [
        record(f"told-{contact.name}", "sls.common.user", ident, _user(ident, contact))
        for ident, contact in users.items()
    ]
    group = label(AREA, "contacts")
    of_group = {"user_group_id": group, "user_group_name": group, "enabled": True, "members": list(users)}
    made = record("told", "sls.common.user_group", group, of_group, *told)
    policy: ali.log.ResourceRecord = record("tell", "sls.alert.action_policy", group, _action(group), made)
    return policy


def _user(ident: str, contact: Contact) -> dict[str, Any]:
    return {
        "user_id": ident,
        "user_name": contact.name,
        "enabled": True,
        "email": [contact.mail],
        "country_code": "86",
        "phone": "",
        "sms_enabled": False,
        "voice_enabled": False,
    }


def _action(group: str) -> dict[str, Any]:
    """Return an action policy. SLS takes no empty second script: it is the first one again, whose turn never comes."""
    mail = (
        f'fire(type="email", users=[], groups=["{group}"], oncall_groups=[], receiver_type="static", external_url="", '
        'external_headers={}, template_id="sls.builtin.cn", period="any")'
    )
    return {
        "action_policy_id": group,
        "action_policy_name": group,
        "labels": {},
        "is_default": False,
        "primary_policy_script": mail,
        "secondary_policy_script": mail,
        "escalation_start_enabled": False,
        "escalation_start_timeout": "10m",
        "escalation_inprogress_enabled": False,
        "escalation_inprogress_timeout": "30m",
        "escalation_enabled": False,
        "escalation_timeout": "4h",
    }

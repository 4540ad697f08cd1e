"""CloudSSO of a resource directory: its directory, groups, access configurations, and which group gets which where."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.sections.console import AccessConfiguration, CloudSso
from infra.settings import Settings

REGION = "cn-shanghai"
"""The only region of the mainland with CloudSSO (notes of terraform-provider-alicloud 1.285.0 on its resources)."""


def assign_access(prefix: str, settings: Settings, sso: CloudSso, opts: pulumi.ResourceOptions) -> None:
    """Make the directory and all that it holds. Access is assigned to groups alone, and a second factor demanded."""
    if settings.region != REGION:
        provider = ali.Provider(
            f"{prefix}-sso",
            region=REGION,
            account_id=settings.account_id,
            account_type=settings.account_type,
            opts=pulumi.ResourceOptions(parent=opts.parent),
        )
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    directory = ali.cloudsso.Directory(
        f"{prefix}-directory", directory_name=sso.directory, mfa_authentication_status="Enabled", opts=opts
    )
    groups = {
        name: ali.cloudsso.Group(f"{prefix}-group-{name}", directory_id=directory.id, group_name=name, opts=opts)
        for name in sso.groups
    }
    given = {access.name: _configuration(prefix, directory, access, opts) for access in sso.access}
    for each in sso.assignments:
        for account in each.accounts or (settings.account_id,):
            ali.cloudsso.AccessManagement(
                f"{prefix}-{each.group}/{each.access}/{account}",
                directory_id=directory.id,
                principal_type="Group",
                principal_id=groups[each.group].group_id,
                access_configuration_id=given[each.access].access_configuration_id,
                target_type="RD-Account",
                target_id=account,
                opts=opts,
            )


def _configuration(
    prefix: str, directory: ali.cloudsso.Directory, access: AccessConfiguration, opts: pulumi.ResourceOptions
) -> ali.cloudsso.AccessConfiguration:
    policies = [
        ali.cloudsso.AccessConfigurationPermissionPolicyArgs(
            permission_policy_type="System", permission_policy_name=policy
        )
        for policy in access.policies
    ]
    return ali.cloudsso.AccessConfiguration(
        f"{prefix}-access-{access.name}",
        directory_id=directory.id,
        access_configuration_name=access.name,
        session_duration=access.session_minutes * 60,
        permission_policies=policies,
        force_remove_permission_policies=True,
        opts=opts,
    )

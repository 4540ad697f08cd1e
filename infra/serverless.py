"""Functions as the landing zone makes every one of them: code from this repository, a role of its own, logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_alicloud as ali

from infra.audit import Audit
from infra.functioncode import HANDLER, package
from infra.network import Network
from infra.servicerole import Statement, allow, service_role
from infra.settings import Settings

AREA = "integration"
RUNTIME = "python3.12"
LOG_STORE = "integration"
NETWORK_POLICY = "AliyunECSNetworkInterfaceManagementAccess"  # Function Compute, "Network": a function in a VPC


@dataclass(frozen=True)
class Serverless:
    """Makes functions and the roles that they, and their callers, act by. `prefix` begins each logical name."""

    parent: pulumi.Resource
    prefix: str
    settings: Settings
    audit: Audit | None

    def role(
        self, part: str, service: str, statements: pulumi.Input[Sequence[Statement]], system: Sequence[str] = ()
    ) -> ali.ram.Role:
        """Return a role that a service of Alibaba Cloud takes on, with these rights and policies of the system."""
        name = self.settings.labels.plain(AREA, part)
        role, _ = service_role(f"{self.prefix}-{part}", name, service, statements, self.settings.all_tags, self.kept)
        for policy_name in system:
            ali.ram.RolePolicyAttachment(
                f"{self.prefix}-{part}-{policy_name}",
                role_name=role.role_name,
                policy_name=policy_name,
                policy_type="System",
                opts=self.kept,
            )
        return role

    def function(
        self,
        part: str,
        role: ali.ram.Role,
        environment: Mapping[str, pulumi.Input[str]],
        *,
        timeout: int,
        **more: Any,
    ) -> ali.fc.V3Function:
        """Return the function whose code is `infra/functions/<part>`; `timeout` is in seconds."""
        log = None
        if self.audit:
            log = ali.fc.V3FunctionLogConfigArgs(
                project=self.audit.log_project,
                logstore=self.audit.log_stores[LOG_STORE],
                enable_request_metrics=True,
                enable_instance_metrics=True,
                log_begin_rule="None",
            )
        return ali.fc.V3Function(
            f"{self.prefix}-{part}",
            function_name=self.settings.labels.plain(AREA, part),
            description=f"infra/functions/{part}",
            runtime=RUNTIME,
            handler=HANDLER,
            code=ali.fc.V3FunctionCodeArgs(zip_file=package(part)),
            role=role.arn,
            environment_variables=environment,
            memory_size=512,
            cpu=0.35,
            disk_size=512,
            instance_concurrency=10,
            timeout=timeout,
            log_config=log,
            internet_access=False,
            tags=self.settings.all_tags,
            opts=self.kept,
            **more,
        )

    def inside(self, network: Network) -> ali.fc.V3FunctionVpcConfigArgs:
        """Return what puts a function into the VPC, which it leaves by the addresses that the orgs trust."""
        return ali.fc.V3FunctionVpcConfigArgs(
            vpc_id=network.vpc_id,
            vswitch_ids=network.app_vswitch_ids,
            security_group_id=network.security_group_ids["app"],
        )

    def logging(self) -> list[Statement]:
        """Return the right to write the function's log, where there is one."""
        account, region = self.settings.account_id, self.settings.region
        project = self.settings.labels.log_project("logs")
        resource = f"acs:log:{region}:{account}:project/{project}/logstore/{LOG_STORE}"
        return [allow(["log:PostLogStoreLogs"], resource)] if self.audit else []

    @property
    def kept(self) -> pulumi.ResourceOptions:
        """The options of everything here."""
        return pulumi.ResourceOptions(parent=self.parent, protect=self.settings.production)

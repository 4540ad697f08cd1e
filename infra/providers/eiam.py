"""IDaaS EIAM as Pulumi resources, by dynamic providers over the official SDK: pulumi-alicloud has none."""

from infra.providers.eiam_application import SamlApplication
from infra.providers.eiam_instance import Instance
from infra.providers.eiam_policy import MfaPolicy
from infra.providers.eiam_scim import ScimTarget

__all__ = ["Instance", "MfaPolicy", "SamlApplication", "ScimTarget"]

"""IDaaS EIAM for the orgs of a stack: instance, second factor, an application for each org, provisioning."""

from __future__ import annotations

import pulumi

from infra.providers.eiam import Instance, MfaPolicy, SamlApplication, ScimTarget
from infra.sections.identity import EiamIdentity
from infra.settings import Settings
from orgs.domains import hosts
from orgs.federation import load_federation

AREA = "identity"


def build_eiam(
    prefix: str, settings: Settings, identity: EiamIdentity, parent: pulumi.Resource
) -> dict[str, pulumi.Output[dict[str, str]]]:
    """Return, for each org, what its application's metadata says (`infra.outputs.SamlProvider`).

    The second factor is demanded before any application stands. Every name carries the stack's, and every
    description says which stack made it: that is how a run which was killed finds its own again.
    """
    kept = pulumi.ResourceOptions(parent=parent, protect=settings.production)
    region, named = settings.region, settings.labels.plain
    made_by = f"{pulumi.get_project()}/{pulumi.get_stack()}, by Pulumi"
    instance: pulumi.Input[str] = identity.instance or Instance(
        f"{prefix}-instance", region, f"{named(AREA, 'instance')}: {made_by}", opts=kept
    ).id.apply(str)
    policy = MfaPolicy(
        f"{prefix}-mfa",
        region=region,
        instance_id=instance,
        policy_name=named(AREA, "mfa"),
        description=f"Second factor: {made_by}",
        groups=identity.mfa.administrators,
        methods=identity.mfa.methods,
        interval_seconds=identity.mfa.interval_seconds,
        opts=kept,
    )
    federation = {org.name: org for org in load_federation().orgs}
    found: dict[str, pulumi.Output[dict[str, str]]] = {}
    for name in identity.orgs:
        at = hosts(federation[name])
        adopted = identity.adopt.get(name)
        application = SamlApplication(
            f"{prefix}-{name}",
            region=region,
            instance_id=instance,
            application_name=named(AREA, name),
            description=f"Salesforce org {name}: {made_by}",
            entity_id=at.saml_entity_id,
            acs_url=at.saml_acs_url,
            name_id=identity.name_id,
            adopt=adopted,
            keep=adopted is not None and not identity.delete_adopted,
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[policy])),
        )
        found[name] = application.saml
        if name in settings.scim_tokens:
            ScimTarget(
                f"{prefix}-{name}-users",
                region=region,
                instance_id=instance,
                application_id=application.id.apply(str),
                base_url=at.scim_base_url,
                token=pulumi.Output.secret(settings.scim_tokens[name].get_secret_value()),
                opts=kept,
            )
    return found

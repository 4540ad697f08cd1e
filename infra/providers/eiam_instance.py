"""An IDaaS EIAM instance."""

from __future__ import annotations

import time
import uuid
from typing import Any, ClassVar

import pulumi
from pulumi import dynamic

from infra.providers.eiam_client import Eiam, EiamProvider, Missing

READY_SECONDS = 600.0


class InstanceProvider(EiamProvider):
    """Makes, reads, changes and deletes instances. An instance has no name: it is known by its whole description."""

    immutable: ClassVar = ("region",)
    mutable: ClassVar = ("description",)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Make an instance and wait until it runs; one that an earlier, interrupted run made is taken over."""
        eiam, described = Eiam(props["region"]), props["description"]
        rows = eiam.rows("ListInstances", "Instances")
        ident = next((row["InstanceId"] for row in rows if row.get("Description") == described), None)
        if ident is None:
            once = str(uuid.uuid4())
            ident = eiam.call("CreateInstance", Description=described, ClientToken=once)["InstanceId"]
        until = time.monotonic() + READY_SECONDS
        while (state := self.state(ident, props))["status"] != "running":
            if time.monotonic() > until:
                raise TimeoutError(f"instance {ident} isn't running after {READY_SECONDS:.0f} s; run `up` again later")
            time.sleep(0.5)
        return dynamic.CreateResult(ident, state)

    def state(self, ident: str, props: dict[str, Any]) -> dict[str, Any]:
        """Return region, description, status and the portal's domain."""
        found = Eiam(props["region"]).call("GetInstance", InstanceId=ident)["Instance"]
        return {
            "region": props["region"],
            "description": found.get("Description"),
            "status": found["Status"],
            "domain": (found.get("DomainConfig") or {}).get("DefaultDomain"),
        }

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Change the description."""
        Eiam(_news["region"]).call("UpdateInstanceDescription", InstanceId=_id, Description=_news["description"])
        return dynamic.UpdateResult(self.state(_id, _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the instance; the service refuses while anything is in it."""
        try:
            Eiam(_props["region"]).call("DeleteInstance", InstanceId=_id)
        except Missing:
            return


class Instance(dynamic.Resource, module="eiam", name="Instance"):
    """An instance. Its id is the resource's."""

    domain: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        region: pulumi.Input[str],
        description: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"region": region, "description": description, "status": None, "domain": None}
        super().__init__(InstanceProvider(), name, props, opts)

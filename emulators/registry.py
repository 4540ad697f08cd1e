"""Which services there are. The one place that knows them all."""

from __future__ import annotations

from emulators.service import Service, World


def services(world: World) -> list[Service]:
    """Return every emulated service; the first one that owns a host answers for it."""
    from emulators.alicloud.api import AlibabaCloudApi
    from emulators.alicloud.oss.api import ObjectStorage
    from emulators.salesforce.api import Salesforce

    return [ObjectStorage(world), AlibabaCloudApi(world), Salesforce(world)]

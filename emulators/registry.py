"""Which services there are. The one place that knows them all."""

from __future__ import annotations

from emulators.service import Service, World

Emulated = tuple[str, str, str]
"""Product, version ("" where there is one only), action."""


def services(world: World) -> list[Service]:
    """Return every emulated service; the first one that owns a host answers for it."""
    from emulators.alicloud.api import AlibabaCloudApi
    from emulators.alicloud.eventbus import EventBus
    from emulators.alicloud.fc.api import FunctionCompute
    from emulators.alicloud.gateway import GatewayCalls
    from emulators.alicloud.idaas import IdaasPortal
    from emulators.alicloud.oss.api import ObjectStorage
    from emulators.alicloud.oss.s3 import S3Storage
    from emulators.alicloud.sls.api import LogService
    from emulators.salesforce.api import Salesforce

    return [
        S3Storage(world),
        ObjectStorage(world),
        LogService(world),
        FunctionCompute(world),
        EventBus(world),
        GatewayCalls(world),
        AlibabaCloudApi(world),
        IdaasPortal(world),
        Salesforce(world),
    ]


def emulated() -> list[Emulated]:
    """Return every action that is emulated, sorted."""
    from emulators.alicloud import eventbus
    from emulators.alicloud.actions import coverage
    from emulators.alicloud.fc import api as fc
    from emulators.alicloud.oss import api as oss
    from emulators.alicloud.sls import api as sls
    from emulators.salesforce import bulk, rest
    from emulators.salesforce.metadata import api as metadata

    return sorted(
        [
            *coverage(),
            *((oss.PRODUCT, oss.VERSION, name) for name in oss.operations()),
            *((fc.PRODUCT, fc.VERSION, name) for name in fc.operations()),
            *((eventbus.PRODUCT, eventbus.VERSION, name) for name in eventbus.operations()),
            *((sls.PRODUCT, sls.VERSION, name) for name in sls.operations()),
            *((metadata.PRODUCT, "", name) for name in metadata.operations()),
            *((bulk.PRODUCT, "", name) for name in bulk.OPERATIONS),
            *((rest.PRODUCT, "", name) for name in rest.resources()),
        ]
    )

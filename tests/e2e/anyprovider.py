"""A provider that takes every resource and makes none. The engine attaches to it by `PULUMI_DEBUG_PROVIDERS`."""

# ruff: noqa: N802 - the methods are named as the wire names them
from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


class AnyProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Finds nothing wrong with any inputs. `made` counts what it was asked to make in earnest."""

    def __init__(self) -> None:
        self.made = 0

    def Attach(self, request, context):  # type: ignore[no-untyped-def]
        return Empty()

    def GetPluginInfo(self, request, context):  # type: ignore[no-untyped-def]
        return plugin_pb2.PluginInfo(version="3.105.0")

    def CheckConfig(self, request, context):  # type: ignore[no-untyped-def]
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):  # type: ignore[no-untyped-def]
        return provider_pb2.DiffResponse()

    def Configure(self, request, context):  # type: ignore[no-untyped-def]
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Check(self, request, context):  # type: ignore[no-untyped-def]
        return provider_pb2.CheckResponse(inputs=request.news)

    def Create(self, request, context):  # type: ignore[no-untyped-def]
        self.made += not request.preview
        return provider_pb2.CreateResponse(id="" if request.preview else "made", properties=request.properties)

    def Cancel(self, request, context):  # type: ignore[no-untyped-def]
        return Empty()


@contextmanager
def serving() -> Iterator[tuple[AnyProvider, int]]:
    """Serve it while the block runs; the port."""
    provider, server = AnyProvider(), grpc.server(ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield provider, port
    finally:
        server.stop(0)

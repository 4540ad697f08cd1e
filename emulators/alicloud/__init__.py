"""Alibaba Cloud, emulated: RPC products in `api`, object storage in `oss`."""

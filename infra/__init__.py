"""The landing zone: what stands in Alibaba Cloud around the orgs, as a Pulumi program."""

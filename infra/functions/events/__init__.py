"""Keeps events of the orgs and of the event bus in the bucket of extracts."""

"""Elastic Compute Service, as far as networks need it."""

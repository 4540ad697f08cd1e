"""Finds the Pulumi engine and the alicloud plugin, installs them the official way, or builds them from Go modules."""

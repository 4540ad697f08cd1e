"""Thin CumulusCI tasks over the release engine, and the keychain that serves the federation's orgs."""

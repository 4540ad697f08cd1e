"""The `sfoa` commands of the release engine, one a module."""

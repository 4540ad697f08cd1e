"""Salesforce source format as it lies on disk: the project, what it ignores, and which files are which component."""

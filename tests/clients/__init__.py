"""Real, unchanged clients against the emulated orgs: what each of them can do there, for both editions."""

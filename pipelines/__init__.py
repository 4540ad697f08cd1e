"""What CI runs to promote orgs, and what `make up` runs on the emulators. Calls commands, imports no layer of ours."""

"""What every package of the kit shares: problems, exit codes, output, redaction. Imports nothing of ours."""

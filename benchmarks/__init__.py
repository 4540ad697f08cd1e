"""Measures the kit against peers: same machine, same run, same input, taking turns. `python -m benchmarks`."""

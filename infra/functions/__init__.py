"""Code that runs in Function Compute, not here: standard library and `cryptography` alone, as of Python 3.12."""

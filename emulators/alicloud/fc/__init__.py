"""The emulated Function Compute 3.0 (FC, API 2023-03-30), a ROA product. No function is run."""

"""CloudMonitor."""

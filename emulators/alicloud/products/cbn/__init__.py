"""Cloud Enterprise Network."""

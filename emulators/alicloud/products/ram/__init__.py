"""Resource Access Management."""

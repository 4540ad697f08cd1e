"""Virtual private cloud."""

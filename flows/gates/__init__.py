"""The gates: what the law, the edition and the federation forbid, asked of a bundle before it is promoted."""

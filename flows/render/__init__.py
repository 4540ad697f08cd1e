"""What the landing zone's outputs come to as metadata of an org: the layer `rendered`, on top of all others. Pure."""

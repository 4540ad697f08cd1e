"""The picture of a landing zone, drawn from its stack's state: `state` reads, `scene` lays out, `svg` writes."""

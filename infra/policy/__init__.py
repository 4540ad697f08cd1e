"""What a stack must keep to: rules as plain functions, the same in the engine, in pytest and in `sfoa policy`."""

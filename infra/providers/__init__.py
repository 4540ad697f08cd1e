"""Dynamic providers: resources that pulumi-alicloud lacks. Their module paths and class names stand in states."""

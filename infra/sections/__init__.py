"""The sections of a stack's config, one file a component; `infra.settings` reads them."""

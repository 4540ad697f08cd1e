"""The release engine: metadata in source format → one bundle → each org's own delta."""

"""The federation: which orgs a company has, in which order they are promoted, and what follows from their edition."""

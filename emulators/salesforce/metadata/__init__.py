"""The Metadata API of an emulated org: what an org is made of, and how a deploy and a retrieve change and show it."""

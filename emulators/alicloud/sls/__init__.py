"""The emulated Simple Log Service (SLS, API 2020-12-30), whose wire format and signatures are its own."""

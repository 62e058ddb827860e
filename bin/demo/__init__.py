"""The first minute: the embedded cloud of this checkout, and a server in it."""

"""nova-lite: a miniature Nova."""

__version__ = "0.1.0"

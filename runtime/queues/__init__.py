"""Asynchronous invocations: accepted to disk first, delivered afterwards."""

"""The HTTP face: JSON on loopback behind a bearer token; every route is one call of the service."""

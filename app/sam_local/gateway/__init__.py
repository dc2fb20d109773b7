"""API Gateway, as far as it is visible to a function and to its client; pure."""

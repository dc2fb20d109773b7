"""API Gateway and function URLs, as far as they are visible to a function and to its client; pure."""

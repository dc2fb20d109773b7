"""Function URLs: HTTP requests become events, results become responses."""

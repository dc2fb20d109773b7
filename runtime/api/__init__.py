"""AWS's own service model, turned round: from HTTP requests to parameters, and from results to HTTP responses."""

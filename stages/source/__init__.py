"""Where a pipeline's source comes from."""

"""Advancing one execution: pure decide, a Prefect flow that does."""

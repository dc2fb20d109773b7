"""Watching a release: alarms as values, their evaluation, and the verdict that comes of it."""

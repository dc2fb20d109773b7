"""The process that answers every other service with moto, and brings their events to functions."""

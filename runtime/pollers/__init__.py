"""Event source mappings: reading queues and streams, and invoking functions with what they hold."""

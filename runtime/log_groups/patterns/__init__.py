"""Filter patterns of CloudWatch Logs: terms, JSON conditions, space-delimited fields. Pure."""

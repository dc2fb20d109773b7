"""CloudWatch Logs over files: groups, streams, events, filters, live tails, retention."""

"""The command line: light to start, plain text when nobody watches, JSON when asked."""

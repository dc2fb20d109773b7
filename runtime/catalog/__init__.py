"""What is kept on disk about functions: versions, aliases, tags and code."""

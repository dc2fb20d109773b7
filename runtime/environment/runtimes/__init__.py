"""Which processes run a function version, and how: Python, Node.js, OS-only runtimes and container images."""

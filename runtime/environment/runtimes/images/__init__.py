"""Functions from container images: each environment's runtime is a container of the Docker engine on this machine."""

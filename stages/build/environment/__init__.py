"""Where a build's shell runs: on this machine or in a container."""

"""CodeBuild: a buildspec run on this machine or in a container, as AWS runs it."""

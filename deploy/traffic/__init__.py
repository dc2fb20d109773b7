"""Moving traffic from one version to another: strategy → machine → rollout (pure) → driver (the hands)."""

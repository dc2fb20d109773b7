"""Layer 5: what an action does. One file or folder per provider, one registry."""

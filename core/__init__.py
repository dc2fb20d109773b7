"""Layer 1: what every other package stands on. Imports nothing of ours."""

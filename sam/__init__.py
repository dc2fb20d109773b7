"""Layer 3: reading SAM templates; pure."""

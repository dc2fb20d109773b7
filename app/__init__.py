"""Layer 7: faces and the one composition root. Decides nothing."""

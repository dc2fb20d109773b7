"""The orders service: what an order costs."""

"""Layer 3: the local Lambda runtime; could be lifted out as a product of its own."""

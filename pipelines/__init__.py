"""Layer 6: what a pipeline is (definition), when it runs (triggers), how it advances (engine)."""

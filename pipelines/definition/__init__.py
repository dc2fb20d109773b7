"""From the text of a pipeline.yaml to a checked, frozen value."""

"""From an Invoke request to the right version's environment and back."""

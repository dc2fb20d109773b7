"""Extensions of an execution environment: who registered, for what, and who is still at work."""

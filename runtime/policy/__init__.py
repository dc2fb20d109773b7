"""Who may do what: callers, policies, and the decision."""

"""What starts executions besides a person: git hooks and schedules."""

"""What events of other services look like, when schedules come due, what targets are given. Pure."""

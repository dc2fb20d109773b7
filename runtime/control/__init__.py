"""The control plane: functions, versions, aliases and tags."""

"""Starting, watching and stopping our processes: runtime, Prefect server, engine, runner."""

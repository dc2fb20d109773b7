"""The entry points of our processes: each builds what it needs in `app.wiring` and runs until SIGTERM."""

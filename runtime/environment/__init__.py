"""Execution environments: the processes handlers run in, and the Runtime API they speak."""

"""Isolation: what keeps the processes of one environment apart from the machine, the server and each other."""

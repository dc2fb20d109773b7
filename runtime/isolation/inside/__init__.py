"""What runs outside the server, in its own interpreter: the template, the keeper of each sandbox, the handler's start.

Nothing here imports anything of ours but its neighbours, and nothing outside the standard library.
"""

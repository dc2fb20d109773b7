"""A function's directory as the zip file that Lambda takes."""

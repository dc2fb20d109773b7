"""The handlers every local Lambda runs: an echo, and one that imports boto3 first, in Python and in JavaScript."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "app.py": "def handler(event, context):\n    return event\n",
    "app_boto.py": "import boto3\n\n\ndef handler(event, context):\n    return event\n",
    "app_js.js": "exports.handler = async (event) => event;\n",
}


def write(folder: Path) -> Path:
    """`folder` with the handlers in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder

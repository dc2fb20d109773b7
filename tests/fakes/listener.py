"""A socket that functions tell what they do, and that counts it: it outlives servers that are killed."""

from __future__ import annotations

import json
import socketserver
import threading
from collections import Counter

TELL = """
import json, socket
def tell(*names):
    with socket.create_connection(("127.0.0.1", PORT)) as listener:
        listener.sendall(json.dumps(names).encode() + b"\\n")
        listener.recv(1)
"""


class Listener:
    """`source(code)` is a handler's code with `tell(*names)` in it; `heard` are the names in order."""

    def __init__(self) -> None:
        heard: list[str] = []

        class Hears(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                heard.extend(json.loads(self.rfile.readline()))
                self.wfile.write(b".")

        self.heard = heard
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hears)
        self._server.daemon_threads = True
        self._port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def source(self, code: str) -> str:
        """`code` with a `tell` that reaches this listener."""
        return TELL.replace("PORT", str(self._port)) + code

    @property
    def told(self) -> Counter[str]:
        """How often each name was heard."""
        return Counter(list(self.heard))

    def close(self) -> None:
        """Hear no more."""
        self._server.shutdown()
        self._server.server_close()

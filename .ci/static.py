"""A host of files for pages under test."""

import functools
import http.server
import threading


class Files(http.server.SimpleHTTPRequestHandler):
    extra = {}

    def end_headers(self):
        for name, value in self.extra.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        pass


def serve(folder, headers=None):
    """Serves a folder on a free port with more headers; gives the address."""
    kind = type("Files", (Files,), {"extra": headers or {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"

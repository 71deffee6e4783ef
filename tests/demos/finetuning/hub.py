"""A hub on this machine: what huggingface_hub asks of a repository, answered from a folder over HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0" * 40


@contextmanager
def serving(folder: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """The address of a hub that has one repository, and the list of files that were fetched so far."""
    fetched: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            if path.startswith(f"/api/models/{name}/tree/"):
                entries = [
                    {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _digest(file.read_bytes())}
                    for file in sorted(folder.iterdir())
                ]
                self._send(json.dumps(entries).encode(), "application/json", body=body)
            elif path.startswith(f"/api/models/{name}"):
                files = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
                about = {"id": name, "modelId": name, "sha": COMMIT, "siblings": files, "private": False, "tags": []}
                self._send(json.dumps(about).encode(), "application/json", body=body)
            elif path.startswith(f"/{name}/resolve/") and (folder / Path(path).name).is_file():
                if body:
                    fetched.append(Path(path).name)
                self._send((folder / Path(path).name).read_bytes(), "application/octet-stream", body=body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _send(self, content: bytes, kind: str, *, body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{_digest(content)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", fetched
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""A small server on this machine that speaks the Hugging Face hub's file routes."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.hub_faults import Fault


@dataclass
class Hub:
    """What the server has, how it misbehaves, and what it was asked."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)  # of main: repo, path, content
    older: dict[str, dict[str, bytes]] = field(default_factory=dict)  # commit, path, content
    has_storage: bool = False  # large files are elsewhere
    stored: dict[str, bytes] = field(default_factory=dict)
    told_to_storage: list[str | None] = field(default_factory=list)  # tokens
    gated: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)  # a file breaks off after so many bytes
    down_after_cut: bool = True
    down: bool = False
    failing: set[str] = field(default_factory=set)  # files that get "503 Service Unavailable"
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)  # of a method and a file
    before: dict[str, Callable[[], None]] = field(default_factory=dict)  # done when a file is asked
    requests: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    url: str = ""

    def add(self, repo: str, directory: Path) -> None:
        self.files[repo] = {
            str(path.relative_to(directory)): path.read_bytes()
            for path in directory.rglob("*")
            if path.is_file()
        }

    def change(self, repo: str, files: dict[str, bytes]) -> None:
        """Make another version the newest; the one before can still be had."""
        self.older[self.commit(repo)] = dict(self.files[repo])
        self.files[repo] |= files

    def commit(self, repo: str) -> str:
        return commit_of(self.files[repo])

    def fetched(self) -> list[str]:
        """Name the files that were sent, in order."""
        return [file for method, file, *_ in self.requests if method == "GET"]


def commit_of(files: dict[str, bytes]) -> str:
    content = sorted((path, hashlib.sha1(data).hexdigest()) for path, data in files.items())
    return hashlib.sha1(json.dumps(content).encode()).hexdigest()


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer()

        def do_GET(self):
            self.answer()

        def refuse(self, status: int, code: str, **headers: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self) -> None:
            if hub.down:
                self.close_connection = True
                return
            if self.path.startswith("/storage/"):
                hub.told_to_storage.append(self.headers.get("Authorization"))
                self.send(hub.stored[self.path], {"ETag": '"of-the-storage"'})
                return
            match = re.fullmatch(r"/((?:[^/]+/)?[^/]+)/resolve/([^/]+)/(.+)", self.path)
            repo, revision, file = match.groups()
            if file in hub.before:
                hub.before.pop(file)()
            wanted, token = self.headers.get("Range"), self.headers.get("Authorization")
            hub.requests.append((self.command, file, wanted, token))
            files = hub.older.get(revision, hub.files.get(repo, {}))
            commit = commit_of(files)
            if repo in hub.renamed:
                place = f"/{hub.renamed[repo]}/resolve/{revision}/{file}"
                self.refuse(307, "", Location=place)
            elif repo not in hub.files:
                self.refuse(401, "RepoNotFound")
            elif repo in hub.gated and token != "Bearer hf_member":
                self.refuse(403, "GatedRepo")
            elif revision not in ("main", commit):
                self.refuse(404, "RevisionNotFound")
            elif file not in files:
                self.refuse(404, "EntryNotFound", X_Repo_Commit=commit)
            elif file in hub.failing:
                self.refuse(503, "")
            else:
                self.give(file, files[file], commit)

        def give(self, file: str, data: bytes, commit: str) -> None:
            """Give a file as the hub does, or as a fault has it."""
            is_large = file.endswith(".safetensors")
            etag = (
                hashlib.sha256(data) if is_large else hashlib.sha1(b"blob %d\0" % len(data) + data)
            )
            headers = {"ETag": f'"{etag.hexdigest()}"', "X-Repo-Commit": commit}
            if (self.command, file) in hub.faults:
                length = {"Content-Length": str(len(data))}
                hub.faults[self.command, file](self, data, headers | length)
            elif is_large and hub.has_storage:
                place = f"/storage/{etag.hexdigest()}?signature=s"
                hub.stored[place] = data
                linked = {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(data))}
                self.redirect(
                    hub.url.replace("127.0.0.1", "localhost") + place,
                    {"X-Repo-Commit": commit, **linked},
                )
            else:
                self.send(
                    data, headers, hub.cuts.pop(file, None) if self.command == "GET" else None
                )

        def redirect(self, place: str, headers: dict[str, str]) -> None:
            self.send_response(302)
            for name, value in {"Location": place, "Content-Length": "5", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"there")

        def send(self, data: bytes, headers: dict[str, str], stop: int | None = None) -> None:
            wanted = self.headers.get("Range")
            start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            length = {"Accept-Ranges": "bytes", "Content-Length": str(len(data) - start)}
            for name, value in (headers | length).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(data[start:stop])
            if stop is not None:
                self.wfile.flush()
                self.close_connection = True
                hub.down = hub.down_after_cut

    return Handler


@contextmanager
def serving():
    """Serve an empty hub on loopback."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    server.daemon_threads = True
    server.block_on_close = False  # some faults send without end
    server.handle_error = lambda *_: None  # whoever asked may have gone away
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# The client would wait half a minute for a server that does not answer.
PROLOGUE = """
import json, sys, time, warnings
time.sleep = lambda seconds: None
import minirobert
from minirobert import *
def attempt(function):
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
def ids(text, *name, **options):
    return RobertaTokenizer.from_pretrained(*name, **options)(text)["input_ids"]
def total(model):
    from minirobert.parameters import flatten
    return sum(float(array.astype("float64").sum()) for array in flatten(model.params).values())
"""


def python(code: str, home: Path, endpoint: str, **environment: str) -> list:
    """Run statements that end in a list called ``answers``, in a process with its own hub client.

    huggingface_hub reads the environment when it is imported, so each setting needs a process.
    """
    clean = {name: v for name, v in os.environ.items() if not name.upper().endswith("_PROXY")}
    clean |= {
        "HF_HOME": str(home),
        "HF_ENDPOINT": endpoint,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **environment,
    }
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "HUGGINGFACE_HUB_CACHE"):
        clean.pop(name, None) if name not in environment else None
    result = subprocess.run(
        [sys.executable, "-c", f"{PROLOGUE}\n{code}\nprint(json.dumps(answers))"],
        capture_output=True,
        text=True,
        env=clean,
        cwd=home,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])

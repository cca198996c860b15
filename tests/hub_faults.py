"""What can go wrong with one answer of a hub.

Each fault is a function of the request's handler, of what the answer should hold, and of the
headers that it should have. It answers in its own way.
"""

import gzip
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TypeAlias

Fault: TypeAlias = Callable[[BaseHTTPRequestHandler, bytes, dict[str, str]], None]

PAGE = b"<!DOCTYPE html>\n<html><body>Please log in to the network</body></html>"
DRIP = 0.05  # seconds between two bytes
EVIL = "../../../../evil"


def answer(
    handler: BaseHTTPRequestHandler, headers: dict[str, str], body: bytes = b"", status: int = 200
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
        handler.wfile.flush()


def drip(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    for byte in content:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(DRIP)


def content(change: Callable[[bytes], bytes]) -> Fault:
    """Send another content, and tell its length."""

    def fault(handler, data, headers):
        body = change(data)
        answer(handler, headers | {"Content-Length": str(len(body))}, body)

    return fault


def header(name: str, value: str | None = None) -> Fault:
    """Send another header, or leave it out, with the right content."""

    def fault(handler, data, headers):
        others = {key: text for key, text in headers.items() if key != name}
        answer(handler, others | ({} if value is None else {name: value}), data)

    return fault


def status(code: int, **headers: str) -> Fault:
    def fault(handler, data, _):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer(handler, {"Content-Length": "0", **named}, status=code)

    return fault


def page(handler, data, headers):
    """Answer as a network does that asks to log in: all is well, and a page."""
    answer(handler, {"Content-Type": "text/html", "Content-Length": str(len(PAGE))}, PAGE)


def page_of_the_hub(handler, data, headers):
    """Send a page with headers that fit it, except for the commit's."""
    answer(handler, headers | {"ETag": '"a-page"', "Content-Length": str(len(PAGE))}, PAGE)


def cut(handler, data, headers):
    answer(handler, headers, data[: len(data) // 2])
    handler.close_connection = True


def compressed(handler, data, headers):
    body = gzip.compress(data)
    answer(handler, headers | {"Content-Encoding": "gzip", "Content-Length": str(len(body))}, body)


def compressed_and_cut(handler, data, headers):
    body = gzip.compress(data)
    answer(
        handler, headers | {"Content-Encoding": "gzip", "Content-Length": str(len(body))}, body[:9]
    )
    handler.close_connection = True


def not_compressed(handler, data, headers):
    answer(handler, headers | {"Content-Encoding": "gzip"}, data)


def chunked(handler, data, headers, end=b"0\r\n\r\n"):
    del headers["Content-Length"]
    half = len(data) // 2
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (data[:half], data[half:]) if part]
    answer(handler, headers | {"Transfer-Encoding": "chunked"}, b"".join(chunks) + end)


def chunked_and_cut(handler, data, headers):
    chunked(handler, data[: len(data) // 2], headers, end=b"ffff\r\nxyz")
    handler.close_connection = True


def without_end(handler, data, headers):
    del headers["Content-Length"]
    answer(handler, headers | {"Connection": "close"})
    while handler.command != "HEAD":
        handler.wfile.write(b" " * 65536)


def stall(handler, data, headers):
    answer(handler, headers, data[: len(data) // 2])
    time.sleep(5)
    handler.close_connection = True


def silence(handler, data, headers):
    time.sleep(5)
    handler.close_connection = True


def dripping(handler, data, headers):
    answer(handler, headers)
    drip(handler, data[:200])
    handler.close_connection = True


def slowly(handler, data, headers):
    """Send everything, in four parts."""
    answer(handler, headers)
    for start in range(0, len(data), len(data) // 4 + 1):
        handler.wfile.write(data[start : start + len(data) // 4 + 1])
        handler.wfile.flush()
        time.sleep(DRIP)


def dripping_headers(handler, data, headers):
    drip(handler, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200)
    handler.close_connection = True


def hang_up(handler, data, headers):
    handler.close_connection = True


def noise(handler, data, headers):
    handler.wfile.write(b"\x00\xffSSH-2.0-OpenSSH_9.6\r\n" * 3)
    handler.close_connection = True


def another_part(handler, data, headers):
    """Send a part of the file that nobody asked for."""
    half = len(data) // 2
    part = {"Content-Range": f"bytes {half}-{len(data) - 1}/{len(data)}"}
    answer(handler, headers | part | {"Content-Length": str(len(data) - half)}, data[half:], 206)


def redirect(place: str, code: int = 302, **others: str) -> Fault:
    def fault(handler, data, headers):
        named = {name.replace("_", "-"): value for name, value in others.items()}
        target = place.replace("SELF", handler.path)
        answer(handler, {"Location": target, "Content-Length": "0", **named}, status=code)

    return fault


#: By name. Those of `NO_FAULTS` look odd, but must do no harm.
FAULTS: dict[str, Fault] = {
    "empty": content(lambda data: b""),
    "half of it": content(lambda data: data[: len(data) // 2]),
    "more than it": content(lambda data: data + b"\0" * 10),
    "zeros": content(lambda data: bytes(len(data))),
    "a flipped bit": content(lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]),
    "an error": content(lambda data: b'{"error": "Too many requests"}'),
    "a list": content(lambda data: b"[]"),
    "a number": content(lambda data: b"1e999"),
    "deep": content(lambda data: b"[" * 100_000),
    "a page": page,
    "a page of the hub": page_of_the_hub,
    "cut": cut,
    "compressed and cut": compressed_and_cut,
    "not compressed": not_compressed,
    "chunked and cut": chunked_and_cut,
    "without end": without_end,
    "stall": stall,
    "silence": silence,
    "dripping": dripping,
    "dripping headers": dripping_headers,
    "hang up": hang_up,
    "noise": noise,
    "another part": another_part,
    "length too large": header("Content-Length", "99999999"),
    "length too small": header("Content-Length", "5"),
    "length negative": header("Content-Length", "-5"),
    "length a word": header("Content-Length", "many"),
    "length huge": header("Content-Length", "9" * 5000),
    "linked size": header("X-Linked-Size", "7"),
    "no etag": header("ETag"),
    "empty etag": header("ETag", '""'),
    "evil etag": header("ETag", f'"{EVIL}"'),
    "evil linked etag": header("X-Linked-Etag", f'"{EVIL}"'),
    "absolute etag": header("ETag", '"/elsewhere"'),
    "dots": header("ETag", '".."'),
    "a long etag": header("ETag", f'"{"e" * 5000}"'),
    "another's etag": header("ETag", f'"{"e" * 64}"'),
    "another's git etag": header("ETag", f'"{"e" * 40}"'),
    "no commit": header("X-Repo-Commit"),
    "evil commit": header("X-Repo-Commit", EVIL),
    "absolute commit": header("X-Repo-Commit", "/elsewhere"),
    "a commit of dots": header("X-Repo-Commit", ".."),
    "a long commit": header("X-Repo-Commit", "c" * 5000),
    "another commit": header("X-Repo-Commit", "c" * 40),
    "500": status(500),
    "503": status(503, Retry_After="100000"),
    "429": status(429, Retry_After="100000"),
    "429 until a day": status(429, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"),
    "401": status(401),
    "403": status(403, X_Error_Code="GatedRepo"),
    "404": status(404),
    "no revision": status(404, X_Error_Code="RevisionNotFound", X_Repo_Commit=EVIL),
    "416": status(416),
    "304": status(304),
    "204": status(204),
    "302 to nowhere": status(302),
    "418 at length": status(418, X_Error_Message="short and stout " * 500),
    "to itself": redirect("SELF"),
    "to a server that is gone": redirect("http://127.0.0.1:9SELF"),
    "to a file": redirect("file:///etc/passwd"),
    "to no address": redirect("http://[::1"),
    "to storage that is gone": redirect(
        "http://127.0.0.1:9/storage", X_Linked_Etag='"abc"', X_Repo_Commit="c" * 40
    ),
    "evil redirect": redirect(
        "/storage", 307, X_Linked_Etag=f'"{EVIL}"', X_Repo_Commit=EVIL, X_Linked_Size="7"
    ),
}

#: A server that says that a file is not there is believed.
GONE = status(404, X_Error_Code="EntryNotFound", X_Repo_Commit=EVIL)

NO_FAULTS: dict[str, Fault] = {
    "compressed": compressed,
    "chunked": chunked,
    "the same etag": header("ETag", '"1"'),
    "a weak etag": lambda handler, data, headers: answer(
        handler, headers | {"ETag": f"W/{headers['ETag']}"}, data
    ),
    "xet": header("X-Xet-Hash", "f" * 64),
}

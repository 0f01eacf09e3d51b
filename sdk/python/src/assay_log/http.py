"""Fetching bytes over HTTP with limits of time and size, by the standard library alone.

What comes is not trusted: it is verified. So the limits here only keep a hostile or slow server
from hanging the caller or filling its memory. Redirects are not followed: a node's address is the
caller's to choose.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import jsontext
from .errors import AssayError, CallerError, UnavailableError

_CHUNK = 64 * 1024
_SHOWN = 200
# Statuses that say to try again, of those that blame the caller.
_LATER = (408, 425, 429)
_SECONDS = re.compile("[0-9]{1,9}")
# Longest description of an error that is read (RFC 9457), in bytes.
_PROBLEM = 4096


@dataclass(frozen=True, slots=True)
class Body:
    """What a server answered: its bytes and their media type, without parameters."""

    data: bytes
    media_type: str


class _Watch:
    """Ends the connections of a call when its time is over, also of a server that sends a byte now
    and then, which no timeout of a socket notices."""

    def __init__(self, seconds: float) -> None:
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_over = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def add(self, connected: socket.socket) -> None:
        with self._lock:
            self._sockets.append(connected)
            if self.is_over:
                _shut(connected)

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            for one in self._sockets:
                _shut(one)


def _shut(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already


def _watched(kind: type[http.client.HTTPConnection], watch: _Watch) -> Callable[..., Any]:
    class Watched(kind):  # type: ignore[valid-type, misc]
        def connect(self) -> None:
            super().connect()
            watch.add(self.sock)

    return Watched


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _opener(watch: _Watch) -> urllib.request.OpenerDirector:
    class Http(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_watched(http.client.HTTPConnection, watch), req)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_watched(http.client.HTTPSConnection, watch), req)

    return urllib.request.build_opener(Http, Https, _NoRedirect)


def get(url: str, accept: str, seconds: float, most_bytes: int) -> Body:
    """Fetches a URL of scheme http or https. Fails with `UnavailableError`, and with `CallerError`
    for another URL, or if the node says that the question is wrong."""
    try:
        scheme = urllib.parse.urlsplit(url).scheme
    except ValueError as error:
        raise CallerError("url", f"a node's address is no URL: {error}") from None
    if scheme not in ("http", "https"):
        raise CallerError("url", "a node's address begins with http:// or https://")
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "assay-log"})
    with _Watch(seconds) as watch:
        try:
            try:
                with _opener(watch).open(request, timeout=seconds) as response:
                    body = _read(response, most_bytes)
            except urllib.error.HTTPError as error:
                raise _refused(error) from None  # reading what it says can fail, too
            if watch.is_over:  # to the reader, a connection that is shut looks like the end
                raise OSError("cut off")
            return body
        except (OSError, http.client.HTTPException, ValueError) as error:
            over = f"no whole answer within {seconds:g} seconds" if watch.is_over else str(error)
            raise UnavailableError("network", f"the node did not answer: {over[:_SHOWN]}") from None


def _read(response: Any, most_bytes: int) -> Body:
    if response.status != 200:
        raise UnavailableError("status", f"the node answered with status {response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnavailableError("network", "the answer is compressed, which nobody asked for")
    stated = response.headers.get("Content-Length", "0")
    if not stated.isdecimal() or int(stated[:20]) > most_bytes:
        raise _too_large(most_bytes)
    data = bytearray()
    while chunk := response.read(_CHUNK):
        data += chunk
        if len(data) > most_bytes:
            raise _too_large(most_bytes)
    if response.length:  # what is left of the length that was stated
        raise OSError(f"it ended {response.length} bytes too early")
    return Body(bytes(data), response.headers.get_content_type())


def _too_large(most_bytes: int) -> UnavailableError:
    return UnavailableError("too-large", f"the answer has more than {most_bytes} bytes")


def _refused(error: urllib.error.HTTPError) -> AssayError:
    """A status that is no success: of kind `too-large` if the node says that its answer would be,
    and the caller's if it says that the question is wrong. The server's words are shown escaped,
    and a few of them only."""
    with error:
        if error.code in (301, 302, 303, 307, 308):
            where = str(error.headers.get("Location", ""))[:_SHOWN]
            return UnavailableError("redirect", f"the node redirects to {where!r}; not followed")
        said = error.read(_PROBLEM)
    try:
        problem = jsontext.parse(said)
    except jsontext.NotStrict:
        problem = None
    detail = jsontext.text(problem, "detail")
    shown = detail or said.decode("utf-8", "replace")
    reason = f"the node answered with status {error.code}: {shown[:_SHOWN]!r}"
    if error.code == 400 and jsontext.text(problem, "code") == "OUT_OF_RANGE":
        return UnavailableError("too-large", reason)
    if 400 <= error.code < 500 and error.code not in _LATER and detail is not None:
        return CallerError("refused", reason)
    wait = str(error.headers.get("Retry-After", ""))
    if _SECONDS.fullmatch(wait) is None:
        return UnavailableError("status", reason)
    return UnavailableError("status", f"{reason}; try again in {wait} seconds", int(wait))

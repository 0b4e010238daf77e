"""Who may look at the page of live themes, and who may act on it?

A server of the standard library on the loopback address. It answers only if it is asked by its own name (a page from elsewhere that makes its name
point here is refused: DNS rebinding), sends no header that lets another
page read it, and takes acts only with a token that stands in the address after «#», which no browser sends anywhere: so neither another page nor
another program, which does not know it, can rename a theme.
Whoever looks is told by server-sent events when something has changed, at most twice a second. The page is one file; nothing in it is made of data but text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from klero._harmless import harmless
from klero.errors import InputError, KleroError

if TYPE_CHECKING:
    from klero.themes.live import LiveThemes
    from klero.themes.live_parts import LiveTheme, Quote

__all__ = ["PageServer"]

_LONGEST = 10_000  # bytes of an act
_APART = 0.5  # seconds between two events
_ALIVE = 15.0  # seconds after which a comment shows that the connection lives
_MOST_VIEWERS = 50
_SHOWN = 200  # themes of each kind that are sent


class PageServer:
    """Serves the page of some live themes until it is closed."""

    def __init__(self, live: LiveThemes, lang: str, port: int = 0) -> None:
        self.live, self.lang = live, lang
        self.token = secrets.token_urlsafe(24)
        self.version = 0
        self.closed = False
        self.viewers = threading.Semaphore(_MOST_VIEWERS)
        self.news = threading.Condition()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.page = self
        self.port = int(self._server.server_address[1])
        self.hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="klero-live-page", daemon=True
        )
        self._thread.start()
        self._watcher = threading.Thread(target=self._watch, name="klero-live-watch", daemon=True)
        self._watcher.start()

    @property
    def url(self) -> str:
        """The address, with what allows to act."""
        return f"http://127.0.0.1:{self.port}/#token={self.token}&lang={self.lang}"

    def changed(self) -> None:
        """Tells whoever looks."""
        with self.news:
            self.version += 1
            self.news.notify_all()

    def close(self) -> None:
        """Ends all connections."""
        self.closed = True
        self.changed()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        """Also a consolidation in the background is news."""
        seen = (0, 0)
        while not self.closed:
            looks = self.live.consolidations
            now = (looks[-1].number if looks else 0, len(self.live.events))
            if now != seen:
                seen = now
                self.changed()
            time.sleep(_APART)

    def data(self) -> dict[str, object]:
        """What the page shows."""
        snapshot = self.live.snapshot(newest=4)

        def shown(some: tuple[LiveTheme, ...]) -> list[dict[str, object]]:
            return [_theme(one) for one in some[:_SHOWN]]

        lone = tuple(sorted(snapshot.lone_voices, key=lambda one: -one.id))
        return {
            "themes": shown(snapshot.themes),
            "weak_signals": shown(snapshot.weak_signals),
            "lone_voices": shown(lone),
            "totals": {
                "themes": len(snapshot.themes),
                "weak_signals": len(snapshot.weak_signals),
                "lone_voices": len(lone),
            },
            "counts": dict(snapshot.counts),
            "contributions": snapshot.contributions,
            "time": snapshot.time,
            "events": [
                {
                    "number": event.number,
                    "kind": event.kind,
                    "before": event.before,
                    "after": event.after,
                    "text": event.text,
                }
                for event in self.live.events[-5:]
            ],
        }

    def act(self, asked: dict[str, object]) -> str | None:
        """Does what the facilitator asks.

        Raises:
            InputError: it can't be done, and why.
        """
        what = asked.get("act")
        one, two, name = asked.get("theme"), asked.get("other"), asked.get("name")
        if what == "name" and isinstance(one, int) and (name is None or isinstance(name, str)):
            self.live.name(one, name or None)
        elif (
            what in {"must_link", "cannot_link"} and isinstance(one, int | str) and isinstance(two, int | str)
        ):
            (self.live.must_link if what == "must_link" else self.live.cannot_link)(one, two)
        elif what == "undo":
            undone = self.live.undo()
            self.changed()
            return undone
        else:
            raise ValueError
        self.changed()
        return None


def _theme(one: LiveTheme) -> dict[str, object]:
    """What is shown of a theme: no author, and nothing that would turn the direction of what stands beside it."""

    def quote(said: Quote) -> dict[str, object]:
        return {"id": harmless(said.id), "text": None if said.text is None else harmless(said.text)}

    return {
        "id": one.id,
        "name": None if one.name is None else harmless(one.name),
        "kind": one.kind,
        "size": one.size,
        "medoid": quote(one.medoid),
        "newest": [quote(said) for said in one.newest],
        "keywords": [harmless(word) for word in one.keywords],
    }


@cache
def _page() -> tuple[bytes, str]:
    """The page, and the policy that allows its own style and script and nothing else."""
    text = (Path(__file__).parent / "live_page.html").read_text(encoding="utf-8")
    inline = [
        f"{kind}-src "
        + " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in bodies
        )
        for kind, bodies in (
            ("style", re.findall(r"<style>(.*?)</style>", text, re.DOTALL)),
            ("script", re.findall(r"<script>(.*?)</script>", text, re.DOTALL)),
        )
    ]
    policy = "; ".join(
        [
            "default-src 'none'",
            *inline,
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return text.encode(), policy


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    page: PageServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "klero"
    sys_version = ""
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the base class)
        """Nothing: the terminal shows themes."""

    def do_GET(self) -> None:
        """The page, its data, its events."""
        if not self._asked_rightly():
            return
        path = self.path.partition("?")[0]
        if path == "/":
            body, policy = _page()
            self._send(200, "text/html; charset=utf-8", body, {"Content-Security-Policy": policy})
        elif path == "/data":
            self._json(200, self.server.page.data())
        elif path == "/events":
            self._events()
        else:
            self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        """An act of the facilitator."""
        page = self.server.page
        if not self._asked_rightly():
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LONGEST:
            self.close_connection = True
            self._json(413, {"error": "too long"})
            return
        body = self.rfile.read(int(length))
        origin = self.headers.get("Origin")
        own = origin is None or origin in {f"http://{host}" for host in page.hosts}
        given = self.headers.get("X-Klero-Token", "")
        if not own or not hmac.compare_digest(given.encode(), page.token.encode()):
            self._json(
                403, {"error": "no right to act: open the page by the address that the terminal shows"}
            )
            return
        if self.path != "/act" or self.headers.get_content_type() != "application/json":
            self._json(404, {"error": "not found"})
            return
        try:
            asked = json.loads(body)
            if not isinstance(asked, dict):
                raise ValueError
            undone = page.act(asked)
        except InputError as error:
            self._json(409, {"error": "\n".join(fault.message for fault in error.faults)})
        except KleroError as error:
            self._json(500, {"error": str(error)})
        except (ValueError, RecursionError):
            self._json(400, {"error": "this is no act"})
        else:
            self._json(200, {"done": True, "undone": undone})

    def _asked_rightly(self) -> bool:
        """Whether this server was asked by its own name, and not by a page that made another name point here."""
        if self.headers.get("Host", "").lower() in self.server.page.hosts:
            return True
        self.close_connection = True
        self._json(421, {"error": "this server answers to its own address alone"})
        return False

    def _events(self) -> None:
        """Tells when something has changed, until the browser goes away."""
        page = self.server.page
        if not page.viewers.acquire(blocking=False):
            self._json(503, {"error": "too many viewers"})
            return
        try:
            self.close_connection = True
            self.send_response(200)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            seen = -1
            while not page.closed:
                with page.news:
                    if page.version == seen:
                        page.news.wait(timeout=_ALIVE)
                    version = page.version
                text = ": alive\n\n" if version == seen else f"event: changed\ndata: {version}\n\n"
                self.wfile.write(text.encode())
                self.wfile.flush()
                seen = version
                time.sleep(_APART)
        except OSError:
            return  # the browser went away
        finally:
            page.viewers.release()

    def _json(self, status: int, data: dict[str, object]) -> None:
        self._send(status, "application/json; charset=utf-8", json.dumps(data).encode(), {})

    def _send(self, status: int, kind: str, body: bytes, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (_HEADERS | more).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

"""The browser's verifier for tests: verifier.html in Chromium, opened once from the disk, asked through `window.klero`."""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

VERIFIER = Path(__file__).parent.parent / "python" / "klero" / "verifiers" / "verifier.html"
SETS = 100  # whole records in one call of the page

# Runs in the page. A record arrives as {name: base64}.
_BYTES = """
const bytes = (files) => Object.fromEntries(
  Object.entries(files).map(([name, text]) => [name, Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
"""
_VERIFY = "async (files) => {" + _BYTES + "return window.klero.verify(bytes(files)); }"
_VERIFY_ZIP = "async (zip) => {" + _BYTES + "return window.klero.verifyZip(bytes({zip}).zip); }"
_SETS = (
    "async (sets) => {"
    + _BYTES
    + "const out = []; for (const set of sets) out.push(await window.klero.firstFailure(bytes(set))); return out; }"
)
_MUTANTS = (
    "async ([files, mutants]) => {"
    + _BYTES
    + """
const base = bytes(files);
const out = [];
for (const [name, offset, mask] of mutants) {
  const changed = base[name].slice();
  changed[offset] ^= mask;
  out.push(await window.klero.firstFailure({...base, [name]: changed}));
}
return out; }"""
)
# What a page may not do is reported to the page itself; tests read it here.
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""


def chromium() -> str | None:
    """The browser's program."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


def reason() -> str | None:
    """Why no browser can run here; None if one can."""
    if find_spec("playwright") is None:
        return "playwright is not installed (pip install playwright), so verifier.html is not run"
    if chromium() is None:
        return "chromium is not installed (Debian: apt install chromium), so verifier.html is not run"
    return None


class VerifierPage:
    """The open page, and what it was seen to do: `requests` (addresses) and `complaints` (console errors, exceptions)."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.add_init_script(_WATCH)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type == "error" else None,
        )
        self.page.goto(VERIFIER.as_uri())

    def violations(self) -> list[str]:
        """What the content security policy has refused so far."""
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def verify(self, files: Mapping[str, bytes]) -> list[tuple[str, str, str]]:
        """All checks of a record: (name, status, detail)."""
        return _checks(self.page.evaluate(_VERIFY, _sent(files)))

    def verify_zip(self, data: bytes) -> list[tuple[str, str, str]]:
        """All checks of a record's ZIP."""
        return _checks(self.page.evaluate(_VERIFY_ZIP, base64.b64encode(data).decode()))

    def first_failures(self, sets: Sequence[Mapping[str, bytes]]) -> list[str | None]:
        """Of each record the first check that fails, None where none does."""
        out: list[str | None] = []
        for start in range(0, len(sets), SETS):
            out += self.page.evaluate(_SETS, [_sent(files) for files in sets[start : start + SETS]])
        return out

    def first_failures_of_mutants(
        self, files: Mapping[str, bytes], mutants: Sequence[tuple[str, int, int]]
    ) -> list[str | None]:
        """The same of a record with one byte changed: mutants are (file, offset, what the byte is xored with)."""
        found: list[str | None] = self.page.evaluate(_MUTANTS, [_sent(files), [list(one) for one in mutants]])
        return found


def _sent(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode() for name, data in files.items()}


def _checks(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(check["name"], check["status"], check["detail"]) for check in found]


@contextlib.contextmanager
def _chromium() -> Iterator[Browser]:
    """The browser; the same one to all who have it open at the same time, since playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    if _open:
        yield _open[0]
        return
    with sync_playwright() as play:
        # Chromium's sandbox needs rights that containers and root don't have; the page is our own.
        _open.append(play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"]))
        try:
            yield _open[0]
        finally:
            _open.pop().close()


_open: list[Browser] = []


@contextlib.contextmanager
def verifier_page(**options: Any) -> Iterator[VerifierPage]:
    """Open verifier.html; `options` are those of playwright's `Browser.new_context` (language, size of the window, colours, …)."""
    with _chromium() as browser:
        context = browser.new_context(offline=True, **options)
        try:
            yield VerifierPage(context)
        finally:
            context.close()

"""The page of live themes: who may look and act, what is told over HTTP, and whether everybody can use it in Chromium."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import klero
from browser import _WATCH, _chromium, reason
from klero.cli.live_page import PageServer, _page

needs_browser = pytest.mark.skipif(
    reason() is not None, reason=(reason() or "").replace("verifier.html", "the live page")
)
SAID = [
    "Plus de pistes cyclables",
    "plus de pistes cyclables !",
    "Éteindre la nuit",
    "<img src=x onerror=alert(1)>",
    "\u202egnol\x1b[2J",
    "",
]


@pytest.fixture
def server() -> Iterator[PageServer]:
    live = klero.LiveThemes(background=False)
    live.add(SAID, ids=list("abcdef"))
    page = PageServer(live, "en")
    yield page
    page.close()
    live.close()


def ask(
    page: PageServer, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    sent = {"Host": f"127.0.0.1:{page.port}"} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    data = None if body is None else json.dumps(body)
    if data is not None:
        sent.setdefault("Content-Type", "application/json")
    connection.request(method, path, data, sent)
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    return answer.status, {key.lower(): value for key, value in answer.getheaders()}, found


def act(page: PageServer, token: str | None = None, **asked: Any) -> tuple[int, dict[str, Any]]:
    status, _, body = ask(page, "POST", "/act", asked, X_Klero_Token=page.token if token is None else token)
    return status, json.loads(body)


def test_the_page_allows_itself_nothing_but_its_own_style_and_script(server: PageServer) -> None:
    status, headers, body = ask(server, "GET", "/")
    assert status == 200
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    text = body.decode()
    assert (
        re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|style=|onclick=|https?://", text
        )
        is None
    )
    assert server.token not in text


def test_data_has_all_kinds_and_the_sum(server: PageServer) -> None:
    _, _, body = ask(server, "GET", "/data")
    data = json.loads(body)
    assert data["counts"] == {"theme": 0, "weak_signal": 2, "lone_voice": 3, "empty": 1}
    assert data["contributions"] == 6
    assert [one["size"] for one in data["weak_signals"]] == [2]
    assert data["totals"]["lone_voices"] == len(data["lone_voices"]) == 3


def test_no_author_is_sent_and_no_text_turns_the_direction_of_the_page(server: PageServer) -> None:
    server.live.add("Ouvrir le dimanche", ids="g", authors="Camille Martin")
    body = ask(server, "GET", "/data")[2]
    assert b"Camille" not in body
    assert b"Ouvrir le dimanche" in body
    shown = json.loads(body)
    texts = [one["medoid"]["text"] for kind in ("weak_signals", "lone_voices") for one in shown[kind]]
    assert "⟨U+202E⟩gnol⟨U+001B⟩[2J" in texts


def test_a_consolidation_is_news_even_after_a_thousand(server: PageServer) -> None:
    seen = server.live.consolidate().number
    for _ in range(1001):
        last = server.live.consolidate()
    assert last.number == seen + 1001
    assert len(server.live.consolidations) == 1000
    assert server.live.consolidations[-1].number == last.number


def test_another_name_for_this_computer_is_refused(server: PageServer) -> None:
    for host in (
        "evil.example",
        f"evil.example:{server.port}",
        "127.0.0.1",
        "",
        f"127.0.0.1:{server.port}.evil.example",
    ):
        for method, path in (("GET", "/data"), ("GET", "/"), ("GET", "/events"), ("POST", "/act")):
            status, _, body = ask(
                server, method, path, {} if method == "POST" else None, Host=host, X_Klero_Token=server.token
            )
            assert status == 421
            assert b"pistes" not in body


def test_only_who_has_the_token_can_act(server: PageServer) -> None:
    before = server.live.snapshot()
    for token in ("", "x", server.token[:-1], server.token + "x"):
        assert act(server, token, act="name", theme=1, name="Vélo")[0] == 403
    status, _, _ = ask(
        server, "POST", "/act", {"act": "undo"}, X_Klero_Token=server.token, Origin="http://evil.example"
    )
    assert status == 403
    assert server.live.snapshot().themes == before.themes
    assert act(server, act="name", theme=1, name="Vélo") == (200, {"done": True, "undone": None})
    assert server.live.snapshot().theme(1).name == "Vélo"


def test_acts_are_done_refused_in_words_and_undone(server: PageServer) -> None:
    theme = server.live.labels()["c"]
    assert act(server, act="must_link", theme=1, other=theme)[0] == 200
    assert server.live.labels()["c"] == 1
    status, told = act(server, act="cannot_link", theme="a", other="c")
    assert status == 409
    assert "belong together" in told["error"]
    assert act(server, act="undo")[1]["undone"] == f"must_link: #1, #{theme}"
    assert server.live.labels()["c"] == theme
    for asked in (
        {"act": "burn"},
        {"act": "name", "theme": "1"},
        {"act": "must_link", "theme": 1, "other": [2]},
        {},
    ):
        assert act(server, **asked)[0] == 400
    assert act(server, act="name", theme=999, name="x")[0] == 409
    status, _, _ = ask(server, "POST", "/act", "x" * 20_000, X_Klero_Token=server.token)
    assert status == 413
    assert ask(server, "GET", "/other")[0] == 404


def test_who_looks_is_told_when_something_has_changed(server: PageServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/events", headers={"Host": f"127.0.0.1:{server.port}"})
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    first = [answer.readline() for _ in range(3)]
    assert first[0] == b"event: changed\n"

    def change() -> None:
        server.live.add("Moins de bruit")
        server.changed()

    threading.Timer(0.2, change).start()
    second = [answer.readline() for _ in range(3)]
    assert second[0] == b"event: changed\n"
    assert second[1] != first[1]
    connection.close()


def test_both_languages_say_the_same_things() -> None:
    text = _page()[0].decode()
    says = [
        set(re.findall(r"(\w+): \"", part))
        for part in re.findall(r"^  (?:en|fr): \{(.*?)^  \},", text, re.DOTALL | re.MULTILINE)
    ]
    assert len(says) == 2
    assert says[0] == says[1]
    french = text.split("  fr: {")[1].split("  },")[0]
    assert re.search(r"\w[;:?!]", re.sub(r"\w+: \"|\{\w+\}", "", french)) is None


@needs_browser
def test_a_facilitator_can_do_everything_with_the_keyboard_and_data_is_text(server: PageServer) -> None:
    with _chromium() as browser:
        context = browser.new_context(locale="en-GB", reduced_motion="reduce", color_scheme="dark")
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.set_default_timeout(15_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(server.url)
        page.wait_for_selector(".card")
        assert "token" not in page.url
        assert page.locator("img").count() == 0
        assert page.get_by_text("<img src=x onerror=alert(1)>").count() >= 1
        assert [
            page.locator(f"#{kind} .card").count() for kind in ("themes", "weak_signals", "lone_voices")
        ] == [0, 1, 3]
        page.keyboard.press("j")
        page.keyboard.press("r")
        page.locator("#name").fill("Vélo")
        page.keyboard.press("Enter")
        page.wait_for_selector("h3:text('Vélo')")
        assert server.live.snapshot().theme(1).name == "Vélo"
        page.keyboard.press("l")
        page.keyboard.press("j")
        page.keyboard.press("l")
        page.wait_for_selector("#weak_signals .size:text-is('3')")
        page.keyboard.press("z")
        page.wait_for_selector("#weak_signals .size:text-is('2')")
        page.keyboard.press("g")
        assert page.locator("h1").inner_text() == "Ce qui se dit"
        assert page.evaluate("document.documentElement.lang") == "fr"
        page.keyboard.press("p")
        assert page.locator("#pause").get_attribute("aria-pressed") == "true"
        assert page.locator("#news").get_attribute("aria-live") == "polite"
        page.reload()
        page.wait_for_selector(".card")
        assert page.locator(".rename").first.is_enabled()
        assert page.evaluate("window.violations") == []
        assert wrong == []
        context.close()


@needs_browser
def test_without_the_token_one_can_look_and_not_act(server: PageServer) -> None:
    with _chromium() as browser:
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.wait_for_selector(".card")
        assert page.locator(".rename").first.is_disabled()
        assert not page.locator(".rename").first.is_visible()
        assert "look, not act" in page.locator("#problem").inner_text()
        context.close()


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_told_from_their_ground(server: PageServer, scheme: Any) -> None:
    contrast = """(names) => { const style = getComputedStyle(document.documentElement);
      const light = (hex) => { const full = hex.trim().length === 4 ? hex.trim().replace(/[0-9a-f]/gi, "$&$&") : hex.trim();
        const part = [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16) / 255).map((x) => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
        return .2126 * part[0] + .7152 * part[1] + .0722 * part[2]; };
      return names.map(([a, b]) => { const two = [a, b].map((n) => light(style.getPropertyValue(n))).sort((x, y) => y - x); return (two[0] + .05) /
      (two[1] + .05); }); }"""
    pairs = [
        ["--ink", "--ground"],
        ["--ink", "--card"],
        ["--soft", "--ground"],
        ["--soft", "--card"],
        ["--on-mark", "--mark"],
        ["--new", "--ground"],
    ]
    with _chromium() as browser:
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(server.url)
        found = page.evaluate(contrast, pairs)
        assert min(found) >= 4.5, found
        assert page.evaluate(contrast, [["--line", "--ground"], ["--mark", "--ground"]]) >= [3.0]
        context.close()


@needs_browser
def test_on_a_wall_the_few_stand_beside_the_many(server: PageServer) -> None:
    server.live.add([f"Un texte {number} sur un sujet bien à lui, {'x' * number}" for number in range(40)])
    with _chromium() as browser:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(server.url)
        page.wait_for_selector(".card")
        tops = [
            page.locator(f"#h-{kind}").bounding_box() for kind in ("themes", "weak_signals", "lone_voices")
        ]
        assert len({round(box["y"]) for box in tops if box}) == 1
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()

"""The evidence page in a real browser: its forms make the file that a log of decisions takes, and nothing leaves the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
import campaigns_report_cases as cases
from klero.campaigns.decision_file import FORMAT, read_decisions
from klero.campaigns.report import campaigns_page
from klero.campaigns.review import DECISIONS, Decision

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(browser.reason() is not None, reason=str(browser.reason()))


class Opened:
    """The page, and what it complained of, asked for and was refused."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(file.as_uri())

    def made(self, button: str) -> tuple[str, dict[str, object]]:
        """The file that a button makes."""
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name=button).click()
        download = waiting.value
        self.file = Path(download.path())
        return download.suggested_filename, json.loads(self.file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def chromium() -> Iterator[None]:
    """One browser for all tests of this file."""
    with browser._chromium():
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for lang in ("en", "fr"):
        found[lang] = folder / f"{lang}.html"
        found[lang].write_text(campaigns_page(cases.everything(), lang), encoding="utf-8")
    found["hostile"] = folder / "hostile.html"
    evil = "</p><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
    found["hostile"].write_text(campaigns_page(cases.hostile(evil)), encoding="utf-8")
    return found


def opened(files: dict[str, Path], name: str, **options: object) -> Iterator[Opened]:
    with browser._chromium() as chromium:
        context = chromium.new_context(offline=True, accept_downloads=True, **options)
        yield Opened(context.new_page(), files[name])
        context.close()


@pytest.fixture
def english(files: dict[str, Path]) -> Iterator[Opened]:
    yield from opened(files, "en")


def fill(one: Opened, name: str, decision: str, reason: str, reviewer: str = "", role: str = "") -> None:
    form = one.page.locator(f".decision[data-group={name}]")
    form.locator(f"input[value={decision}]").check()
    form.locator("textarea").fill(reason)
    for field, value in (("reviewer", reviewer), ("role", role)):
        if value:
            form.locator(f"[data-field={field}]").fill(value)
            form.locator(f"[data-field={field}]").blur()


def test_a_form_makes_the_file_of_one_decision(english: Opened) -> None:
    fill(
        english,
        "C2",
        "one-source",
        " A page of 3 March has it.\nAsked five. ",
        "Zoé Martin",
        "chargée de mission",
    )
    name, record = english.made("Make the file of the decision on C2")
    assert name == "decision-C2.json"
    assert list(record) == ["format", "result", "decisions"]
    assert (record["format"], record["result"]) == (FORMAT, "5e0f" * 16) == ("klero-decision/1", "5e0f" * 16)
    (decision,) = record["decisions"]  # type: ignore[misc]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", decision.pop("time"))
    assert decision == {
        "group": "C2",
        "decision": "one-source",
        "reason": "A page of 3 March has it.\nAsked five.",
        "reviewer": "Zoé Martin",
        "role": "chargée de mission",
    }
    told = english.page.locator(".decision[data-group=C2] output").inner_text()
    assert told == "Made: decision-C2.json. Decisions in it: 1. Nothing was sent."
    assert (english.complaints, english.requests[1:]) == (
        [],
        [url for url in english.requests[1:] if url.startswith("blob:")],
    )


def test_the_log_reads_one_file_of_all_decisions_and_the_reviewer_is_written_once(
    english: Opened, tmp_path: Path
) -> None:
    fill(english, "C1", "petition", "The association says so.", "Zoé Martin")
    fill(english, "C4", "undecided", "Nobody answered.")
    name, _record = english.made("Make one file of all decisions on this page")
    assert name == "decision.json"
    (tmp_path / "campaigns.json").write_text(cases.everything().to_json(), encoding="utf-8")
    assert read_decisions(english.file, tmp_path) == [
        Decision(
            group="C1", decision="petition", reason="The association says so.", reviewer="Zoé Martin", role=""
        ),
        Decision(group="C4", decision="undecided", reason="Nobody answered.", reviewer="Zoé Martin", role=""),
    ]
    assert english.complaints == []


@pytest.mark.parametrize("decision", DECISIONS[::2])
def test_what_is_missing_is_asked_for_and_no_file_is_made(files: dict[str, Path], decision: str) -> None:
    downloads: list[str] = []
    for one in opened(files, "fr"):
        one.page.on("download", lambda download: downloads.append(download.suggested_filename))
        form = one.page.locator(".decision[data-group=C3]")
        button = one.page.get_by_role("button", name="Créer le fichier de la décision sur C3")
        for field, value in (
            (f"input[value={decision}]", ""),
            ("textarea", "parce que"),
            ("[data-field=reviewer]", "Zoé"),
        ):
            button.click()
            assert "Il manque quelque chose" in form.locator("output").inner_text()
            focused = "document.activeElement.dataset.field || document.activeElement.type"
            assert one.page.evaluate(focused) == {
                "textarea": "reason",
                "[data-field=reviewer]": "reviewer",
            }.get(field, "radio")
            if value:
                form.locator(field).fill(value)
            else:
                form.locator(field).check()
        assert downloads == []
        button.click()
        assert "Il manque" not in form.locator("output").inner_text()
        assert one.complaints == []


def test_without_scripts_the_forms_are_for_paper_and_all_is_readable(files: dict[str, Path]) -> None:
    for one in opened(files, "en", java_script_enabled=False):
        assert one.page.locator("button:visible").count() == 0
        assert one.page.locator(".decision textarea:visible").count() == 4
        assert one.page.get_by_text("klero review add review.jsonl").count() == 2


@pytest.mark.parametrize("name", ["en", "fr", "hostile"])
def test_nothing_is_cut_on_a_phone_and_nothing_is_refused(files: dict[str, Path], name: str) -> None:
    for one in opened(files, name, viewport={"width": 360, "height": 740}):
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert one.page.evaluate("window.ran") is None
        assert one.complaints == []
        assert len(one.requests) == 1


def test_on_paper_there_are_boxes_to_tick_and_no_buttons(english: Opened) -> None:
    english.page.emulate_media(media="print")
    assert english.page.locator("button:visible").count() == 0
    assert english.page.locator(".decision input[type=radio]:visible").count() == 4 * 4
    assert english.page.pdf().count(b"/Type /Page") > 4

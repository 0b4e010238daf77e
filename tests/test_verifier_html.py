"""verifier.html in Chromium, opened from the disk: what it says of records, and whether everybody can use it.

Needs chromium and playwright; skips with a reason where one is missing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ledger_cases
from browser import VERIFIER, VerifierPage, reason, verifier_page
from record_cases import (
    CHECKS,
    NAMES,
    Files,
    dump,
    entries,
    golden_record,
    payload,
    primitives,
    tier,
    zipped,
)

if TYPE_CHECKING:
    from playwright.sync_api import FileChooser, Page

WEB = VERIFIER.parent / "web"
# Skipped one by one, so that what needs no browser runs everywhere.
needs_browser = pytest.mark.skipif(reason() is not None, reason=reason() or "")


@pytest.fixture(scope="module")
def english() -> Iterator[VerifierPage]:
    with verifier_page(locale="en-GB") as page:
        yield page


@pytest.fixture
def fresh(english: VerifierPage) -> VerifierPage:
    """The page as it is when it is opened."""
    english.page.reload()
    english.complaints.clear()
    return english


def written(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def with_byte_changed(files: Files, name: str, offset: int) -> Files:
    data = bytearray(files[name])
    data[offset] ^= 1
    return {**files, name: bytes(data)}


def choose(page: Page, button: str, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(path)


def verdict(page: Page) -> str:
    page.wait_for_selector("#verdict-title:visible")
    return page.inner_text("#verdict-title")


def quiet(opened: VerifierPage) -> None:
    """Nothing was refused by the policy, nothing went wrong, and the page asked for nothing but itself."""
    assert opened.violations() == []
    assert opened.complaints == []
    assert set(opened.requests) == {VERIFIER.as_uri()}


@needs_browser
@pytest.mark.parametrize("name", NAMES)
def test_golden_records_pass_in_every_tier_and_as_zip(english: VerifierPage, name: str) -> None:
    for shown in ("public", "auditor", "sealed"):
        files = tier(golden_record(name), shown)
        found = english.verify(files)
        assert [check for check, _, _ in found] == list(CHECKS)
        assert [detail for _, status, detail in found if status == "FAIL"] == []
        statuses = {check: status for check, status, _ in found}
        assert statuses["gap"] == ("ok" if "auditor/pool-0.json" in files else "--")
        assert statuses["sealed"] == ("ok" if "sealed/people.json" in files else "--")
        assert english.verify_zip(zipped(files)) == found


@needs_browser
def test_a_record_fails_whichever_byte_is_changed(english: VerifierPage) -> None:
    files = golden_record("drand")
    mutants = [(name, offset, 1) for name, data in files.items() for offset in range(len(data))]
    found = english.first_failures_of_mutants(files, mutants)
    assert [mutant for mutant, first in zip(mutants, found, strict=True) if first is None] == []


@needs_browser
def test_a_zip_fails_whichever_byte_is_changed(english: VerifierPage) -> None:
    data = zipped(tier(golden_record("drand"), "public"))
    for offset in range(0, len(data), 41):
        changed = bytearray(data)
        changed[offset] ^= 32
        assert english.verify_zip(bytes(changed))[0][1] == "FAIL"
    assert english.verify_zip(data + b"\0")[0][1] == "FAIL"
    assert english.verify_zip(b"")[0][1] == "FAIL"


@needs_browser
def test_sets_of_files_that_are_no_record(english: VerifierPage) -> None:
    files = golden_record("replaced")

    def without(*names: str) -> Files:
        return {name: data for name, data in files.items() if name not in names}

    sets = [
        {},
        without("public/declaration.json"),
        without("public/entry-0002.json"),
        without("auditor/pool-1.json"),
        without(*[f"auditor/{part}-1.json" for part in ("instance", "pool", "lottery", "certificate")]),
        {**tier(files, "public"), "sealed/people.json": files["sealed/people.json"]},
        {**files, "public/.DS_Store": b""},
        {**files, "public/entry-00010.json": b"{}"},
        {**files, "public/leaves.txt": files["public/leaves.txt"][:-1]},
        {**files, "public/declaration.json": b"null"},
        {**files, "public/declaration.json": b"[]"},
        {**files, "public/entry-0001.json": b"[]"},
    ]
    found = english.first_failures(sets)
    assert found == ["files"] * 4 + ["commitment"] + ["files"] * 3 + [
        "leaves",
        "encoding",
        "declaration",
        "encoding",
    ]


@needs_browser
def test_a_good_record_is_valid_as_far_as_it_could_be_checked(fresh: VerifierPage, tmp_path: Path) -> None:
    files = golden_record("replaced")
    folder = written({**files, "receipts/0001.json": b"{}"}, tmp_path / "record")
    page = fresh.page
    choose(page, "Choose a folder", folder)
    assert verdict(page) == "Valid, as far as it could be checked"
    assert page.evaluate("document.activeElement.id") == "verdict-title"
    facts = page.inner_text("#facts")
    declared = json.loads(files["public/declaration.json"])
    draws = [
        body
        for number, _ in enumerate(entries(files), 1)
        if "seed" in (body := payload(files, number)["body"])
    ]
    assert len(draws) == 2
    for body in draws:
        assert body["seed"] in facts
        assert str(body["position"]) in facts
    assert declared["title"] in facts
    assert str(declared["size"]) in facts
    assert page.locator("#checks > li").count() == len(CHECKS)
    assert page.locator("#checks code").all_text_contents() == list(CHECKS)
    page.screenshot(path=tmp_path / "valid.png", full_page=True)
    quiet(fresh)


@needs_browser
def test_a_bad_record_is_not_valid_and_the_check_is_named(fresh: VerifierPage, tmp_path: Path) -> None:
    files = golden_record("drand")
    envelope = json.loads(files["public/entry-0002.json"])
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[40] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    changed = {**files, "public/entry-0002.json": dump(envelope)}
    choose(fresh.page, "Choose a ZIP file", _zip(changed, tmp_path))
    assert verdict(fresh.page) == "NOT VALID: the check «Every step is signed» fails"
    assert "somebody else may have written it" in fresh.page.inner_text("#verdict-text")
    assert fresh.page.locator("#doubtful").is_visible()
    states = fresh.page.locator("#checks .status").all_inner_texts()
    assert "✗ FAILS" in states
    assert "✓ Passes" in states
    quiet(fresh)


def _zip(files: Files, folder: Path) -> Path:
    path = folder / "record.zip"
    path.write_bytes(zipped(files))
    return path


@needs_browser
def test_a_reading_is_shown_before_anything_is_drawn(fresh: VerifierPage, tmp_path: Path) -> None:
    files = golden_record("all-sources")
    numbers = [number for number, _ in enumerate(entries(files), 1)]
    reading = next(number for number in numbers if payload(files, number)["kind"] == "reading")
    shorter = {name: data for name, data in files.items() if name not in entries(files)[reading:]}
    choose(fresh.page, "Choose a ZIP file", _zip(shorter, tmp_path))
    assert verdict(fresh.page) == "Valid, as far as it could be checked"
    facts = fresh.page.inner_text("#facts")
    assert "Read out and signed at" in facts
    assert "not drawn" in facts
    for reveal in payload(files, reading)["body"]["reveals"]:
        if "digits" in reveal:
            assert reveal["digits"] in facts
    quiet(fresh)


@needs_browser
def test_the_page_speaks_french_where_the_browser_does_and_can_be_switched(tmp_path: Path) -> None:
    with verifier_page(locale="fr-FR", color_scheme="dark", viewport={"width": 320, "height": 640}) as opened:
        page = opened.page
        assert page.get_attribute("html", "lang") == "fr"
        assert page.inner_text("h1") == "Vérifier un tirage au sort"
        choose(page, "Choisir un fichier ZIP", _zip(tier(golden_record("balls"), "public"), tmp_path))
        assert verdict(page) == "Valide, pour tout ce qui a pu être contrôlé"
        assert "1er février 2026" in page.locator("#facts").text_content().replace("\u00a0", " ")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.screenshot(path=tmp_path / "valide.png", full_page=True)
        page.get_by_role("button", name="English").click()
        assert page.get_attribute("html", "lang") == "en"
        assert page.inner_text("#verdict-title") == "Valid, as far as it could be checked"
        assert page.get_by_role("button", name="English").get_attribute("aria-pressed") == "true"
        quiet(opened)


@needs_browser
def test_the_keyboard_alone_opens_a_record_and_reads_the_checks(fresh: VerifierPage, tmp_path: Path) -> None:
    page = fresh.page
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.textContent"))
    assert order == ["Skip to the content", "English", "Français", "Choose a ZIP file", "Choose a folder"]
    page.keyboard.press("Shift+Tab")
    chosen: list[FileChooser] = []
    page.on("filechooser", lambda chooser: chosen.append(chooser))
    page.wait_for_timeout(500)  # listening begins when the browser has been told, which nothing reports
    page.keyboard.press("Enter")
    for _ in range(600):
        if chosen:
            break
        page.wait_for_timeout(100)
    chosen[0].set_files(_zip(golden_record("drand"), tmp_path))
    verdict(page)
    page.keyboard.press("Tab")  # from the verdict, which has the focus, to the next control
    assert page.evaluate("document.activeElement.id") == "published"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pick-receipt"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#checks details").first.get_attribute("open") is not None
    quiet(fresh)


@needs_browser
def test_a_zip_made_anew_is_told_in_words_and_not_as_a_forgery(fresh: VerifierPage, tmp_path: Path) -> None:
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in golden_record("drand").items():
            archive.writestr(name, data)
    choose(fresh.page, "Choose a ZIP file", path)
    assert verdict(fresh.page) == "NOT VALID: the check «All files are there» fails"
    told = "This ZIP was made anew, for example by a file manager: unpack it and check the folder. That alone is no forgery."
    assert fresh.page.locator("#verdict-text").text_content() == told
    checks = fresh.page.locator("#checks li")
    assert told in checks.first.text_content()
    assert "Not checked, because the check «All files are there» fails." in checks.nth(1).text_content()
    quiet(fresh)


@needs_browser
def test_the_published_hash_is_compared(fresh: VerifierPage, tmp_path: Path) -> None:
    files = golden_record("replaced")
    page = fresh.page
    choose(page, "Choose a ZIP file", _zip(files, tmp_path))
    verdict(page)
    signed = base64.b64decode(json.loads(files["public/entry-0001.json"])["payload"])
    label = b"klero/entry/v1"
    lengths = [number.to_bytes(8, "big") for number in (len(label), 1, len(signed))]
    good = hashlib.sha256(lengths[0] + label + lengths[1] + lengths[2] + signed).hexdigest()
    field = page.get_by_role("textbox", name="Published hash")
    for given, begins in (
        (f" {good[:32].upper()} {good[32:]}\n", "The same"),
        ("0" * 64, "DIFFERENT"),
        (good[:-1], "This is not a hash"),
        ("", ""),
    ):
        field.fill(given)
        assert page.inner_text("#compared").startswith(begins)
        assert bool(page.inner_text("#compared")) == bool(begins)


@needs_browser
@pytest.mark.parametrize(("name", "seats"), [("balls", {False}), ("household", {False, True})])
def test_receipts_are_checked_against_the_record(
    fresh: VerifierPage, tmp_path: Path, name: str, seats: set[bool]
) -> None:
    page = fresh.page
    files = golden_record(name)
    choose(page, "Choose a ZIP file", _zip(files, tmp_path))
    verdict(page)
    panel = payload(files, 2)["body"]["panel"]
    cases = [case for case in primitives()["receipts"] if case["receipt"]["draw"] == name]
    assert {case["leaf"] in panel for case in cases} == seats
    for case in cases:
        receipt = case["receipt"]
        text = _received(page, receipt, tmp_path)
        assert f"{receipt['identity']['id']} is number {receipt['leaf']} of the list" in text
        assert case["ticket"] in text
        assert ("First draw: on the panel." in text) == (case["leaf"] in panel)
        assert ("First draw: not on the panel." in text) != (case["leaf"] in panel)
        for field, value in (
            ("weight", receipt["weight"] + 1),
            ("salt", "0" * 64),
            ("leaf", receipt["leaf"] ^ 1),
            ("draw", "other"),
            ("more", 1),
        ):
            assert "does not fit this record" in _received(page, {**receipt, field: value}, tmp_path)
    quiet(fresh)


def _received(page: Page, receipt: dict[str, Any], folder: Path) -> str:
    """What the page says of a receipt."""
    path = folder / "receipt.json"
    path.write_bytes(dump(receipt))
    page.evaluate("document.querySelector('#received').replaceChildren()")
    choose(page, "Choose a receipt file", path)
    page.wait_for_selector("#received p")
    return page.inner_text("#received")


@needs_browser
def test_what_is_no_record_gets_a_kind_word(fresh: VerifierPage, tmp_path: Path) -> None:
    page = fresh.page
    names = ("declaration.json", "pool.json", "lottery.json", "certificate.json", "commitment.json")
    choose(page, "Choose a folder", written(dict.fromkeys(names, b"{}"), tmp_path / "trial"))
    page.wait_for_selector("#notice:has-text('trial lottery')")
    inside = written(tier(golden_record("drand"), "public"), tmp_path / "record") / "public"
    choose(page, "Choose a folder", inside)
    page.wait_for_selector("#notice:has-text('inside of a record')")
    assert page.locator("#result").is_hidden()
    other = tmp_path / "picture.zip"
    other.write_bytes(b"not a ZIP")
    choose(page, "Choose a ZIP file", other)
    assert verdict(page) == "NOT VALID: the check «All files are there» fails"
    assert "no ZIP of a record" in page.locator("#checks li").first.text_content()
    quiet(fresh)


@needs_browser
def test_files_that_are_too_large_are_refused_unread(fresh: VerifierPage, tmp_path: Path) -> None:
    page = fresh.page
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(2**30 + 2**23)  # a hole: it takes no room on the disk
    choose(page, "Choose a ZIP file", large)
    assert verdict(page).startswith("NOT VALID")
    assert "larger than a record may be" in page.locator("#checks li").first.text_content()
    folder = written(tier(golden_record("drand"), "public"), tmp_path / "record")
    with (folder / "public" / "leaves.txt").open("wb") as file:
        file.truncate(2**28 + 1)
    choose(page, "Choose a folder", folder)
    page.wait_for_selector("#checks li:has-text('leaves.txt is larger than 256 MiB')", state="attached")


@needs_browser
def test_a_folder_or_a_zip_can_be_dropped(fresh: VerifierPage, tmp_path: Path) -> None:
    page = fresh.page
    files = golden_record("household")
    folder = written({**files, "receipts/1.json": b"{}"}, tmp_path / "record")
    stray = written(files, tmp_path / "other")
    (stray / "auditor" / "empty").mkdir()
    for path, begins in ((folder, "Valid"), (_zip(files, tmp_path), "Valid"), (stray, "NOT VALID")):
        page.reload()
        drop(page, path)
        assert verdict(page).startswith(begins)
    quiet(fresh)


def drop(page: Page, path: Path) -> None:
    """Drop a file or folder on the page as a person would: the browser itself makes the event."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 300, "data": data})


@needs_browser
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_names_landmarks_headings_and_contrast(tmp_path: Path, colours: str) -> None:
    with verifier_page(locale="en-GB", color_scheme=colours, reduced_motion="reduce") as opened:
        page = opened.page
        files = golden_record("drand")
        choose(page, "Choose a ZIP file", _zip(with_byte_changed(files, "sealed/people.json", 60), tmp_path))
        verdict(page)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
        found: dict[str, Any] = page.evaluate(ACCESSIBLE)
        assert found["nameless"] == []
        assert found["twice"] == []
        assert found["landmarks"] == {"header": 1, "main": 1, "footer": 1, "h1": 1}
        assert found["headings"] == []
        assert found["unlabelled sections"] == 0
        assert found["small"] == []
        assert found["contrast"] == []
        assert found["live"] >= 3
        assert found["moving"] == []


# What an automatic checker of accessibility looks at, in a few lines; contrast by WCAG 2's formula, at least 4.5.
ACCESSIBLE = """() => {
  const all = [...document.querySelectorAll("*")];
  const shown = (e) => e.checkVisibility({visibilityProperty: true});
  const name = (e) => e.getAttribute("aria-label") || e.textContent.trim() || [...(e.labels ?? [])].map((l) => l.textContent.trim()).join("");
  const controls = [...document.querySelectorAll("button, input, summary, progress, a, [role=group]")].filter(shown);
  const ids = all.map((e) => e.id).filter(Boolean);
  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown);
  const jumps = headings.filter((h, i) => i > 0 && Number(h.tagName[1]) > Number(headings[i - 1].tagName[1]) + 1);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c[3] !== 0) return c; } return [255, 255, 255]; };
  const written = all.filter((e) => shown(e) && !e.matches(".skip") && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()));
  const weak = written.filter((e) => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  });
  return {
    "nameless": controls.filter((e) => !name(e)).map((e) => e.outerHTML.slice(0, 80)),
    "twice": ids.filter((id, i) => ids.indexOf(id) !== i),
    "landmarks": Object.fromEntries(["header", "main", "footer", "h1"].map((t) => [t, document.querySelectorAll(t).length])),
    "headings": jumps.map((h) => h.textContent),
    "unlabelled sections": [...document.querySelectorAll("section")].filter((s) => !document.getElementById(s.getAttribute("aria-labelledby"))).length,
    "small": [...document.querySelectorAll("button, input[type=text]")].filter((e) => shown(e) && e.getBoundingClientRect().height < 44).map((e) => e.id),
    "contrast": weak.map((e) => e.outerHTML.slice(0, 80)),
    "live": document.querySelectorAll("[role=status]").length,
    "moving": all.filter((e) => getComputedStyle(e).transitionDuration !== "0s" || getComputedStyle(e).animationName !== "none")
      .map((e) => e.outerHTML.slice(0, 80)),
  };
}"""


@needs_browser
def test_texts_of_a_record_are_shown_as_text_alone(fresh: VerifierPage) -> None:
    files = dict(golden_record("drand"))
    declared = json.loads(files["public/declaration.json"])
    declared["title"] = "<img src=x onerror=alert(1)><b>bold</b>"
    files["public/declaration.json"] = dump(declared)
    page = fresh.page
    assert next(check for check, status, _ in fresh.verify(files) if status == "FAIL") == "commitment"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a ZIP file").click()
    chooser.value.set_files({"name": "r.zip", "mimeType": "application/zip", "buffer": zipped(files)})
    verdict(page)
    assert declared["title"] in page.inner_text("#facts")
    assert page.locator("#facts img, #facts b").count() == 0
    quiet(fresh)


@needs_browser
def test_a_long_check_leaves_the_page_usable_and_a_new_opening_ends_it(
    fresh: VerifierPage, tmp_path: Path
) -> None:
    page = fresh.page
    bad = with_byte_changed(golden_record("drand"), "public/leaves.txt", 0)
    choose(page, "Choose a ZIP file", _zip(golden_record("families"), tmp_path))
    choose(page, "Choose a ZIP file", _zip(bad, tmp_path))
    page.wait_for_selector("#verdict-title:has-text('NOT VALID')")
    assert page.locator("#progress").is_hidden()


@needs_browser
def test_without_webcrypto_the_bundled_hashes_give_the_same(english: VerifierPage) -> None:
    files = golden_record("all-sources")
    with verifier_page() as other:
        other.page.add_init_script(
            "Object.defineProperty(Crypto.prototype, 'subtle', {get: () => undefined});"
        )
        other.page.reload()
        assert other.page.evaluate("crypto.subtle === undefined")
        assert other.verify(files) == english.verify(files)


def test_the_policy_allows_the_own_script_and_style_alone() -> None:
    html = VERIFIER.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules.pop("default-src") == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        texts = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(texts) == html.count(f"<{tag}") == 1
        assert (
            rules.pop(rule)
            == f"'sha256-{base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()}'"
        )
    assert rules == {
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert "unsafe" not in policy[1]


def test_the_sources_make_no_markup_from_data_and_reach_for_no_network() -> None:
    for path in WEB.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "fetch(",
            "XMLHttpRequest",
            "WebSocket",
            "import(",
            "localStorage",
        ):
            assert word not in text, f"{path.name}: {word}"


def test_the_lock_pins_every_library_and_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for name, version in wanted.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    for name, package in lock["packages"].items():
        assert "resolved" not in package
        assert name == "" or package["integrity"].startswith("sha512-")


def _node(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    if shutil.which("node") is None:
        pytest.skip("node is not installed, so the sources of verifier.html are not run")
    if not (WEB / "node_modules").is_dir():
        pytest.skip(
            f"no node_modules (npm ci --ignore-scripts in {WEB.name}/), so the sources of verifier.html are not run"
        )
    return subprocess.run(
        ["node", *arguments], cwd=WEB, input=given, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_built_file_is_what_its_sources_make() -> None:
    done = _node("build.mjs", "--check")
    assert done.returncode == 0, done.stderr


def test_the_parts_agree_with_the_golden_vectors() -> None:
    done = _node("--test", "tests/primitives.test.mjs")
    assert done.returncode == 0, done.stdout + done.stderr


def _changed_bundles(name: str) -> Iterator[Files]:
    """The golden bundle, and whatever one change of its lottery or certificate makes of it, with hashes made anew."""
    files = ledger_cases.golden(name)
    yield files
    for file in ("lottery.json", "certificate.json"):
        for value in ledger_cases.changes(json.loads(files[file])):
            yield ledger_cases.sealed({**files, file: dump(value)})


FAIRNESS = ("lottery", "quotas", "certificate", "gap")


@pytest.mark.parametrize("name", ["goldilocks", "household", "leximin", "maximin", "minimax", "nash"])
def test_fairness_is_judged_as_the_other_verifiers_judge_it(name: str) -> None:
    """Trial bundles have what golden records lack: splits in proofs, held types, every objective's claim."""
    bundles = list(_changed_bundles(name))
    lines = [json.dumps({file: data.decode() for file, data in files.items()}) for files in bundles]
    done = _node("tests/bundles.mjs", given="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    judged = done.stdout.splitlines()
    expected = []
    for files in bundles:
        library, _ = ledger_cases.outcomes(files)
        expected.append(next((check for check, good in library if check in FAIRNESS and not good), "ok"))
    assert judged == expected
    assert judged[0] == "ok"
    print(f"{name}: {len(judged)} bundles, {sum(one == 'ok' for one in judged)} of them good")

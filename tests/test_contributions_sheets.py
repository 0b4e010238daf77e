"""Sheets of a workbook are named, and so is a title that stands above the headings."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from contribution_cases import codes, faults_of
from klero.cli import run
from klero.tables import read_table
from klero.voices.contributions import Contributions, open_contributions
from klero.voices.reading_words import reading_words

HEADINGS = ["id", "texte", "auteur"]
ROW = ["a", "Oui à tout", "Zoé"]


def workbook(path: Path, sheets: dict[str, list[list[object]]], hidden: str = "") -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name == hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


@pytest.fixture
def three(tmp_path: Path) -> Path:
    sheets = {
        "Aide": [["rien"], ["du tout"]],
        "Réponses": [HEADINGS, ROW],
        "Suite": [HEADINGS, ["b", "Non", "Ali"], ["c", "Non !", "Eve"]],
    }
    return workbook(tmp_path / "a.xlsx", sheets, hidden="Aide")


def test_the_sheet_that_was_read_is_named_with_the_others(three: Path) -> None:
    read = Contributions.read(three)
    assert read.sheets == ("Réponses", "Suite")
    assert "Of its sheets, 'Réponses' was read and not 'Suite': --sheet NAME reads another." in reading_words(
        read, "en"
    )
    assert any("De ses feuilles, 'Réponses' a été lue" in line for line in reading_words(read, "fr"))


def test_a_sheet_can_be_chosen(three: Path) -> None:
    assert Contributions.read(three, sheet="Suite").ids.to_pylist() == ["b", "c"]
    opened = open_contributions(three, sheet="Suite")
    assert opened.sheets == ("Suite", "Réponses")
    assert [len(batch) for batch in opened.batches()] == [2]
    assert Contributions.read(three, sheet="Aide", text="rien").texts.to_pylist() == ["du tout"]
    (fault,) = faults_of(lambda: Contributions.read(three, sheet="Suites"))
    assert (fault.code, fault.value) == ("option-unknown", "Suites")
    assert "The file has 'Réponses', 'Suite'" in fault.message


def test_a_file_without_sheets_has_none_to_choose(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,oui\n", encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(path, sheet="x"))) == [("options-conflict", None)]
    assert codes(faults_of(lambda: open_contributions(path, sheet="x"))) == [("options-conflict", None)]
    one = workbook(tmp_path / "one.xlsx", {"Feuil1": [HEADINGS, ROW]})
    assert not any("sheets" in line for line in reading_words(Contributions.read(one), "en"))


def test_the_command_takes_a_sheet(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run(["repeats", str(three), "--sheet", "Suite", "-o", str(out)]) == 0
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["id", "b", "c"]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([["Consultation 2024"], [], HEADINGS, ROW], 3),
        ([["Consultation 2024"], ["Export du 3 mars"], HEADINGS, ROW], 3),
        ([["Consultation 2024"], HEADINGS, ROW], 2),
        ([["Consultation 2024"], [], ["id", "texte"], ["a", "b"]], 3),
    ],
)
def test_a_title_above_the_headings_is_told(rows: list[list[object]], place: int, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Feuil1": rows})
    for read in (Contributions.read, read_table):
        (fault,) = faults_of(lambda read=read: read(path))  # type: ignore[misc]
        assert (fault.code, fault.row) == ("column-unnamed", 1)
        assert f"the headings seem to stand in row {place}" in fault.message
    width = max(map(len, rows))
    lines = [";".join(map(str, [*row, *[""] * (width - len(row))])) for row in rows]
    csv = tmp_path / "a.csv"
    csv.write_text("\n".join(lines), encoding="utf-8")
    if lines[1].strip(";"):
        assert f"row {place}" in faults_of(lambda: Contributions.read(csv))[0].message


@pytest.mark.parametrize(
    "text",
    [
        "texte\nOui\nNon\n",
        "texte;\nOui;\nNon;\n",
        'texte;\n"Oui\nnon";si\n',
        "texte;;\nOui;3;4\nNon;;\n",
        'texte\n"a;b"\n',
    ],
)
def test_a_column_alone_is_no_title(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert len(Contributions.read(path)) >= 1

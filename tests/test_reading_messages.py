"""What people meet who mistake a column, an option or a way in: the message says what would do."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contribution_cases import faults_of
from klero import near_duplicates
from klero.cli import run
from klero.errors import OutputExistsError
from klero.voices import personal
from klero.voices.contributions import Contributions
from klero.voices.index import NearDuplicateIndex
from klero.voices.memory import parse_memory
from klero.voices.settings import read_resources

TEXTS = ["Un tramway pour le nord.", "Un tramway pour le nord !", "Oui"]


def test_many_ids_that_are_there_twice_are_one_line() -> None:
    rows = [
        {"id": i // 2, "n": i, "s": i % 3, "same": 1, "text": f"texte {i}", "list": "x"} for i in range(4000)
    ]
    (fault,) = faults_of(lambda: Contributions.read(rows))
    assert "2,000 ids are there more than once: '0' (rows 1, 2)" in fault.message
    assert "tells its rows apart, 'n', 's' (--id 'id+n')" in fault.message
    assert len(Contributions.read(rows, id="id+n")) == 4000


def test_no_column_is_named_where_none_tells_the_rows_apart(tmp_path: Path) -> None:
    same = [{"id": 1, "q": "a", "text": "x y"}, {"id": 1, "q": "a", "text": "z"}]
    (fault,) = faults_of(lambda: Contributions.read(same))
    assert "Correct the table, or number the rows: --map 'id='." in fault.message
    nested = tmp_path / "a.jsonl"
    nested.write_text(
        '{"id": 1, "text": "x", "q": [1]}\n{"id": 1, "text": "y", "q": [2]}\n', encoding="utf-8"
    )
    (fault,) = faults_of(lambda: Contributions.read(nested))
    assert (fault.code, fault.row) == ("id-duplicate", 2)
    lists = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1, 1], "text": ["x", "y"], "q": [[1], [2]]}), lists)
    assert [fault.code for fault in faults_of(lambda: Contributions.read(lists))] == ["id-duplicate"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Avis", "Did you mean 'avis_citoyen'?"),
        ("titel", "Did you mean 'title'?"),
        ("logement", "Did you mean 'Que pensez-vous du logement ?'?"),
        ("zzz", "there is no such column. The table has"),
    ],
)
def test_a_column_of_nearly_this_name_is_suggested(asked: str, meant: str) -> None:
    rows = [{"title": "x", "avis_citoyen": "y", "Que pensez-vous du logement ?": "z"}]
    (fault,) = faults_of(lambda: Contributions.read(rows, text=asked))
    assert meant in fault.message
    (fault,) = faults_of(lambda: Contributions.read([{"ref": 1, "body": "y"}], text=asked))
    assert "Did you mean 'body'?" in fault.message


@pytest.mark.parametrize(
    ("value", "meant"), [(80, "give 0.8"), (95.5, "give 0.955"), (1000, "in that range")]
)
def test_a_threshold_in_percent_is_understood_and_not_taken(value: float, meant: str) -> None:
    (fault,) = faults_of(lambda: near_duplicates(TEXTS, threshold=value))
    assert (fault.code, meant in fault.message) == ("option-range", True)


def test_a_comma_in_a_number_is_a_point(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,oui oui oui\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    assert run(["repeats", str(path), "--threshold", "0,5", "-o", str(out)]) == 0
    assert run(["repeats", str(path), "--threshold", "0,5,5", "-o", str(out), "--force"]) == 2


@pytest.mark.parametrize(("text", "size"), [("2Go", 2 * 10**9), ("500 Mo", 5 * 10**8), ("1,5 Gio", 3 << 29)])
def test_sizes_in_french(text: str, size: int) -> None:
    assert parse_memory(text) == size


def test_threads_go_as_far_in_python_as_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,oui oui oui\n", encoding="utf-8")
    for threads, done in ((1024, 0), (1025, 2), (0, 2)):
        out = tmp_path / f"{threads}.csv"
        assert run(["repeats", str(path), "--threads", str(threads), "-o", str(out)]) == done
        found = read_resources([], threads=threads, memory=None)
        assert (found is not None) == (done == 0)


def test_rows_and_paths_are_sent_to_the_reader_of_tables(tmp_path: Path) -> None:
    for source in ([{"id": 1, "text": "x"}], "a.csv", tmp_path / "a.csv"):
        (fault,) = faults_of(lambda source=source: near_duplicates(source))  # type: ignore[misc]
        assert "klero.voices.contributions.Contributions.read(" in fault.message


def test_one_and_an_are_said_rightly() -> None:
    (fault,) = faults_of(lambda: near_duplicates(TEXTS, ids=[1, 1, 2]))
    assert fault.message.startswith("1 id is there more than once")
    (fault,) = faults_of(lambda: near_duplicates(TEXTS, ids=[1, None, None]))
    assert "(nor has 1 more row)" in fault.message
    (fault,) = faults_of(lambda: Contributions.read([1]))  # type: ignore[list-item]
    assert "not an int" in fault.message


def test_a_file_that_is_there_is_not_called_a_draw(tmp_path: Path) -> None:
    index = NearDuplicateIndex()
    index.save(tmp_path / "i.parquet")
    with pytest.raises(OutputExistsError) as caught:
        index.save(tmp_path / "i.parquet")
    assert "draw" not in caught.value.message
    assert "left untouched" in caught.value.message


def test_results_of_an_index_are_short_on_the_screen() -> None:
    index = NearDuplicateIndex()
    added = index.add(range(5000), ["un tramway pour le nord"] * 5000)
    assert len(repr(added)) < 500
    assert "… 4,995 more" in repr(added)
    assert len(repr(index.query(["un tramway pour le nord"] * 9, limit=None))) < 4000
    assert len(repr(index.remove(range(4999)))) < 500
    assert len(repr(index.groups())) < 500


def test_a_text_is_searched_once_for_personal_data(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    find = personal.find

    def counted(text: str) -> list[personal.Finding]:
        asked.append(text)
        return find(text)

    monkeypatch.setattr(personal, "find", counted)
    text = "Écrivez à zoe@example.org"
    assert Contributions.read([{"id": 1, "text": text}], mask=True).texts.to_pylist() == [
        "Écrivez à [e-mail]"
    ]
    assert asked == [text]

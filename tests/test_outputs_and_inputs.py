"""No command destroys what it reads, even with --force: every command that writes, every input, by every name."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from klero._files import check_inputs
from klero.cli import run
from klero.errors import CODES, InputError

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "python" / "klero" / "examples"
PEOPLE, QUOTAS = EXAMPLES / "people.csv", EXAMPLES / "quotas.csv"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file for each kind of input."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PEOPLE, "people.csv")
    shutil.copy(QUOTAS, "quotas.csv")
    Path("ids.csv").write_text("id\nP001\n", encoding="utf-8")
    Path("near.csv").write_text("first,second,decision\n", encoding="utf-8")
    return tmp_path


INVITE = ["invite", "people.csv", "--size", "3", "--trial-seed", "t", "--strata", "gender"]
TABLES = ["tables", "people.csv", "-t", "5", "-s", "2"]
POOL = ["people.csv", "quotas.csv", "--size", "30"]
PROPENSITY = ["propensity", "people.csv", "quotas.csv", "--letters", "900", "--population", "9000"]


@pytest.mark.parametrize(
    ("command", "output", "option"),
    [
        ([*INVITE], "people.csv", "-o"),
        ([*INVITE], "./people.csv", "-o"),
        ([*INVITE], "link.csv", "-o"),
        (["invite", "peo*.csv", *INVITE[2:]], "people.csv", "-o"),
        ([*INVITE, "--exclude", "ids.csv"], "ids.csv", "-o"),
        ([*INVITE, "--response", "quotas.csv"], "quotas.csv", "-o"),
        ([*INVITE, "--allocation", "quotas.csv"], "quotas.csv", "-o"),
        (["households", "people.csv", "--address", "street"], "people.csv", "-o"),
        (["households", "people.csv", "--address", "street", "--decisions", "near.csv"], "near.csv", "-o"),
        (TABLES, "people.csv", "-o"),
        ([*TABLES, "--apart", "ids.csv"], "ids.csv", "-o"),
        ([*TABLES, "--together", "ids.csv"], "ids.csv", "-o"),
        ([*TABLES, "--absent", "ids.csv"], "ids.csv", "-o"),
        (PROPENSITY, "people.csv", "-o"),
        (PROPENSITY, "quotas.csv", "-o"),
        ([*PROPENSITY, "--background", "ids.csv"], "ids.csv", "-o"),
        (["compare", *POOL], "people.csv", "--picture"),
        (["whatif", *POOL], "quotas.csv", "--picture"),
        (["whatif", *POOL, "--must-sit", "ids.csv"], "ids.csv", "--picture"),
        (["lottery", *POOL, "--exclude", "ids.csv"], "ids.csv", "-o"),
    ],
)
def test_an_output_never_takes_the_place_of_an_input(
    here: Path, command: list[str], output: str, option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("link.csv").symlink_to("people.csv")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    assert run([*command, option, output, "--force"]) == 3
    assert "[output-is-input]" in capfd.readouterr().err
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before
    assert "output-is-input" in CODES


def test_the_record_of_a_list_takes_no_input_either(here: Path) -> None:
    Path("people.csv").rename("new.csv.draw.json")
    shutil.copy("ids.csv", "people.csv")
    assert run([*INVITE, "--exclude", "new.csv.draw.json", "-o", "new.csv", "--force"]) == 3
    assert not Path("new.csv").exists()


def test_a_replacement_never_destroys_the_bundle_it_follows_from(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["lottery", *POOL, "-o", "bundle"]) == 0
    assert run(["draw", "bundle", "--trial-seed", "t"]) == 0
    gone = json.loads(Path("bundle/draw.json").read_bytes())["panel"][0]
    before = {path.name: path.read_bytes() for path in Path("bundle").iterdir()}
    follow = ["replace", "bundle", "--withdrawn", gone, "--round", "1", "--trial-seed", "t", "-o"]
    for place in ("bundle", "./bundle/", str(here / "bundle")):
        capfd.readouterr()
        assert run([*follow, place, "--force"]) == 3
        assert "[output-is-input]" in capfd.readouterr().err
    # nor is a file of the bundle, which the plan of tables reads
    assert run(["tables", "bundle", "-t", "5", "-s", "2", "-o", "bundle/draw.json", "--force"]) == 3
    assert {path.name: path.read_bytes() for path in Path("bundle").iterdir()} == before


def test_ids_tables_in_memory_and_new_places_are_no_inputs(here: Path) -> None:
    check_inputs("ids.csv", [None, ("P001",), "P001," * 3000, "absent.csv", 7, "people.csv"])
    check_inputs("new.csv", ["new.csv"])
    Path("folder").mkdir()
    shutil.copy("ids.csv", "folder/ids.csv")
    with pytest.raises(InputError, match="holds an input"):
        check_inputs("folder", ["folder/ids.csv"])


def test_decisions_come_into_the_new_list(here: Path) -> None:
    streets = ["12 rue Voltaire", "12 rue Voltiare", "30 avenue Foch", "30 avenue Fohc", "1 rue X"]
    lines = ["id,street", *(f"{i},{street}" for i, street in enumerate(streets))]
    Path("homes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["households", "homes.csv", "--address", "street"]
    assert run([*command, "-o", "one.csv"]) == 0
    text = Path("one.csv").read_text(encoding="utf-8-sig")
    Path("one.csv").write_text(text.replace("voltiare,,", "voltiare,oui,"), encoding="utf-8")
    assert run([*command, "--decisions", "one.csv", "-o", "two.csv"]) == 0
    with Path("two.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [(row["first"], row["decision"], row["people_second"]) for row in csv.DictReader(stream)]
    assert rows == [("12 rue voltaire", "same", "0 1"), ("30 avenue foch", "", "3")]
    assert run([*command, "--decisions", "two.csv", "-o", "three.csv"]) == 0
    assert Path("three.csv").read_bytes() == Path("two.csv").read_bytes()

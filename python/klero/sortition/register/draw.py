"""Who of everybody on a register gets a letter?

The register is read once (`scan.py`), sealed by a digest that does not depend on the order of its rows, and drawn from by numbers that
follow from that digest and the seed alone (`chance.py`; the kernels in `rust/core/src/register`). Without weights and addresses each
stratum gives its lowest tickets: a simple random sample. With either, chances follow weights exactly (the pivotal method, Deville and Tillé 1998).

Guaranteed: exactly the letters asked for, the stated probabilities, and the same people for the same register and seed, in whatever
order, files, batches and threads it is read. With weights or addresses any two units of a stratum with two letters or more may be drawn
together; how often is not stated (equal weights: as in a simple random sample). One reading of the register, one or two of temporary records of
48 to 64 bytes a row, of which 560 MiB stay in memory; below 1 GB in all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from unicodedata import normalize

from klero import _native
from klero._tables_cells import ERROR_CELLS, clean
from klero.errors import Fault, InputError, quoted
from klero.sortition.id_lists import named_ids
from klero.sortition.register.allocation import (
    StratumTable,
    Wanted,
    check_zeros,
    read_stratum_table,
    spill,
    wanted,
)
from klero.sortition.register.cells import WEIGHT_SCALE
from klero.sortition.register.chance import Drawn, Keys, Parts, Unit, Units
from klero.sortition.register.invitation import Invitation, StratumDraw
from klero.sortition.register.scan import Columns, Progress, Scan, check_columns, scan
from klero.sortition.register.sources import RegisterSource, open_sources
from klero.sortition.register.stages import Stages, check_room, draw_stages, parse_stages
from klero.tables import TableSource, error_cell

__all__ = ["ALGORITHM", "invite"]

ALGORITHM = "klero-register/2"
RULES = ("proportional", "equal", "neyman")
_SIZE_LIMIT = (1 << 32) - 1


def invite(
    register: RegisterSource | Sequence[RegisterSource],
    *,
    size: int | None = None,
    trial_seed: str,
    id: str | None = None,  # noqa: A002 (as in Pool.read)
    strata: Sequence[str] = (),
    weight: str | None = None,
    exclude: TableSource | None = None,
    household: Sequence[str] = (),
    allocation: str | TableSource = "proportional",
    response: TableSource | None = None,
    stages: str | tuple[str, int] | None = None,
    threads: int | None = None,
    temp_folder: str | None = None,
    progress: Progress | None = None,
) -> Invitation:
    """Draws who gets a letter from a register.

    Args:
        register: a CSV or Parquet file, a pattern like «part-*.parquet», a table with an Arrow stream, or several of them.
        size: letters. May be left out where the allocation table gives them.
        trial_seed: any text; the draw is marked TRIAL.
        id: the column of ids; by default «id». Ids are whole numbers or text.
        strata: columns whose combinations are the strata.
        weight: column of weights, 0.000001 to 10^9, at most six decimals: chances in a stratum are in proportion to them.
        exclude: a table whose first column (or the column of the same name as the ids') lists ids that are not drawn.
        household: columns of the address: at most one person of an address is drawn.
        allocation: «proportional» (to weights, else to people), «equal», «neyman», or a table by stratum with «letters» or «answers».
        response: a table by stratum with expected answer rates («response») or standard deviations («sd»).
        stages: «COLUMN:M»: draw M municipalities in proportion to size, then people in them.
        threads: at most; by default the processors there are, up to 4. The result does not depend on it.
        temp_folder: where temporary space is taken (about 60 bytes a row, 130 with addresses, beyond what stays in memory); by default
            the system's.
        progress: called with a phase and the rows done.

    Raises:
        InputError: with every fault of the register, the tables and the options.
    """
    text = _seed_text(trial_seed)
    if size is not None and (
        not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _SIZE_LIMIT
    ):
        message = "the number of letters must be a whole number above zero."
        raise InputError([Fault("size-invalid", message, "", value=str(size))])
    staged = None if stages is None else parse_stages(stages)
    rule = allocation if isinstance(allocation, str) and allocation in RULES else None
    if staged is not None and (strata or rule != "proportional"):
        message = "two stages can't be combined with strata or another allocation: the municipalities take their place."
        raise InputError([Fault("options-conflict", message, "")])
    sources = open_sources(register)
    columns = Columns(
        id=clean(id or "id"),
        strata=(clean(staged[0]),) if staged else tuple(map(clean, strata)),
        weight=None if weight is None else clean(weight),
        household=tuple(map(clean, household)),
    )
    check_columns(sources, columns)
    exclusions = _exclusions(exclude, columns.id)
    excluded = b"".join(sorted(exclusions))
    threads = threads or min(4, os.cpu_count() or 1)
    _keep_freed_memory()
    found = scan(sources, columns, excluded, threads=threads, folder=temp_folder, progress=progress)
    try:
        unmatched = _unmatched(exclude, exclusions, found)
        request = _Request(size, rule, allocation, response, staged, len(exclusions), unmatched)
        return _draw(found, request, text, progress)
    finally:
        found.close()


def _keep_freed_memory() -> None:
    """Lets the C library keep the buffers of one batch for the next.

    glibc gives blocks above a threshold back to the system at once, and page faults on getting them again were half of the time. The threshold
    rises to the largest block freed, up to 32 MiB; other allocators take this as one more short-lived block.
    """
    block = bytearray(31 << 20)
    del block


@dataclass(frozen=True)
class _Request:
    size: int | None
    rule: str | None
    allocation: str | TableSource
    response: TableSource | None
    stages: tuple[str, int] | None
    exclusions: int
    unmatched: tuple[str, ...]


def _seed_text(trial_seed: str) -> str:
    text = normalize("NFC", trial_seed) if isinstance(trial_seed, str) else ""
    if not text or any("\ud800" <= c <= "\udfff" for c in text):
        message = "the text of a trial seed must be Unicode text, not empty"
        raise InputError([Fault("seed-invalid", message, "", value=str(trial_seed))])
    return text


def _exclusions(exclude: TableSource | None, id_column: str) -> dict[bytes, str]:
    """The ids on the list, by hash."""
    if exclude is None:
        return {}
    named, list_name, column = named_ids(exclude, "excluded people", id_column)
    hashes: dict[bytes, str] = {}
    faults: list[Fault] = []
    for value, row in named:
        try:
            hashes.setdefault(_native.register_id_hash(value)[0], value)
        except ValueError as error:
            message = "an id on the list of exclusions can't be used."
            faults.append(Fault(str(error), message, list_name, row, column, value))
    if faults:
        raise InputError(faults)
    if not hashes:
        message = "the list of exclusions names nobody, so it would exclude nobody. Give the right file, or leave --exclude out."
        raise InputError([Fault("exclusions-none", message, list_name)])
    return hashes


def _unmatched(exclude: TableSource | None, exclusions: Mapping[bytes, str], found: Scan) -> tuple[str, ...]:
    """The ids on the list of exclusions that are not on the register.

    Raises:
        InputError: none is, so that the list is of another register, or spells its ids in another way.
    """
    missing = tuple(sorted(value for key, value in exclusions.items() if key not in found.left_out))
    if exclusions and len(missing) == len(exclusions):
        name = Path(exclude).name if isinstance(exclude, (str, os.PathLike)) else "exclusions"
        column = found.columns.id
        message = (
            f"none of its {len(missing)} ids is on the register, so nobody would be excluded. The list has, for instance, {quoted(missing[0])}, "
            f"the register {quoted(found.ids.get(0))} in its column {quoted(column)}. Did leading zeros get lost (7 is not 07), or is it of another register?"
        )
        raise InputError([Fault("exclusions-none", message, name, value=missing[0])])
    return missing


def _draw(found: Scan, request: _Request, text: str, progress: Progress | None) -> Invitation:
    _check_labels(found)
    rule_table, response = _tables(found, request)
    design = _design(found, request, rule_table, response)
    sealed = json.dumps(design, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    commitment = _native.seq_hash("klero/register/commit/v1", [sealed, found.digest])
    seed = _native.seq_hash("klero/seed/trial/v1", [commitment, text.encode()])
    parts = Parts(found, Keys.of(seed), progress)
    units = parts.units()
    weighted = found.columns.weight is not None or found.houses is not None
    letters, asked, stages = _letters(found, request, rule_table, response, units, weighted, seed)
    drawn = parts.duels(letters, units) if weighted else parts.lowest(letters, units)
    return _result(
        found,
        request,
        drawn,
        (letters, asked, stages, units),
        (design, commitment, seed, text),
        response or rule_table,
    )


def _check_labels(found: Scan) -> None:
    faults = [
        Fault("cell-error", error_cell(value, found.rows[i]), "register", column=column, value=value)
        for i, label in enumerate(found.labels)
        for column, value in zip(found.columns.strata, label, strict=False)
        if value in ERROR_CELLS
    ]
    if faults:
        raise InputError(faults)


def _tables(found: Scan, request: _Request) -> tuple[StratumTable | None, StratumTable | None]:
    columns, labels = found.columns.strata, found.labels
    table = response = None
    if request.rule is None:
        named = _named_rule(request.allocation)
        if not columns:
            message = "a table of letters by stratum needs the strata: give the columns with --strata (in Python: strata)."
            raise InputError([Fault("strata-missing", message, "")])
        table = read_stratum_table(named, columns, labels, "allocation")
    if request.response is not None:
        response = read_stratum_table(request.response, columns, labels, "response")
    return table, response


def _named_rule(allocation: str | TableSource) -> TableSource:
    if isinstance(allocation, str) and not Path(allocation).exists():
        message = f"{quoted(allocation)} is neither a rule ({', '.join(RULES)}) nor a file."
        raise InputError([Fault("allocation-invalid", message, "", value=allocation)])
    return allocation


def _design(
    found: Scan, request: _Request, table: StratumTable | None, response: StratumTable | None
) -> dict[str, object]:
    columns = found.columns
    return {
        "algorithm": ALGORITHM,
        "allocation": request.rule or "table",
        "excluded": hashlib.sha256(found.excluded).hexdigest(),
        "household": list(columns.household),
        "id": columns.id,
        "size": request.size or 0,
        "stages": [request.stages[0], request.stages[1]] if request.stages else [],
        "strata": list(columns.strata),
        "tables": {"allocation": _numbers(table), "response": _numbers(response)},
        "weight": columns.weight or "",
    }


def _numbers(table: StratumTable | None) -> list[object]:
    if table is None:
        return []
    return [
        [name, [[list(label), str(value)] for label, value in sorted(values.items())]]
        for name, values in sorted(table.numbers.items())
    ]


def _letters(
    found: Scan,
    request: _Request,
    table: StratumTable | None,
    response: StratumTable | None,
    units: Units,
    weighted: bool,
    seed: bytes,
) -> tuple[list[int], list[int], Stages | None]:
    """Letters by stratum; as the rule asked; the first stage if there is one."""
    room, size = units.count, request.size
    if request.stages is not None:
        if size is None:
            raise InputError([Fault("size-invalid", "give the number of letters (--size).", "")])
        _check_size(size, sum(room), found)
        stages = draw_stages(found, request.stages[1], size, seed)
        check_room(found, stages, room, units.largest, units.weights, weighted)
        return stages.letters, stages.letters, stages
    want: Wanted = wanted(found, request.rule or "", size, table, response)
    _check_size(want.size, sum(room), found)
    if table is not None:
        check_zeros(want.asked, room, found.labels, table.name)
    return spill(want.asked, want.shares, room), want.asked, None


def _check_size(size: int, room: int, found: Scan) -> None:
    if not 1 <= size <= _SIZE_LIMIT:
        message = "the allocation gives no letter at all."
        raise InputError([Fault("size-invalid", message, "", value=str(size))])
    if size <= room:
        return
    if found.houses is not None:
        message = f"{size} letters are asked for, and the register has {room} addresses, each of which gets one at most."
    else:
        message = f"{size} letters are asked for, and {room} people can be drawn."
    raise InputError([Fault("size-over-register", message, "register", value=str(size))])


def _result(
    found: Scan,
    request: _Request,
    drawn: Drawn,
    outcome: tuple[list[int], list[int], Stages | None, Units],
    sealing: tuple[dict[str, object], bytes, bytes, str],
    rates: StratumTable | None,
) -> Invitation:
    letters, asked, stages, units = outcome
    design, commitment, seed, text = sealing
    factors = _factors(drawn, stages, found)
    scale = WEIGHT_SCALE if found.columns.weight else 1
    response = rates.column("response", found.labels) if rates is not None else None
    people = _people(found, drawn, factors)
    certain = _counted(drawn.certain, found)
    return Invitation(
        ids=tuple(p[0] for p in people),
        strata=tuple(p[1] for p in people),
        probabilities=tuple(p[2] for p in people),
        id_column=found.columns.id,
        strata_columns=found.columns.strata,
        table=tuple(
            StratumDraw(
                label=label,
                people=found.rows[i],
                units=units.count[i],
                weight=Fraction(found.weights[i], scale),
                asked=asked[i],
                letters=letters[i],
                certain=certain[i],
                factor=None if (factor := factors[i]) is None else factor * scale,
                largest=Fraction(units.largest[i], scale),
                lowest=None
                if found.columns.weight or not found.rows[i]
                else Fraction(1, units.largest[i])
                if certain[i] and found.houses is not None
                else factor,
                chance=stages.chances[i] if stages else Fraction(1),
                expected=letters[i] * response[i] if response else None,
            )
            for i, label in enumerate(found.labels)
        ),
        equal=found.columns.weight is None and found.houses is None,
        conditional=units.mixed > 0,
        weighted=found.columns.weight is not None,
        households=found.houses is not None,
        stages=request.stages[1] if request.stages else 0,
        people=found.total,
        excluded=len(found.left_out),
        exclusions=request.exclusions,
        unmatched=request.unmatched,
        without_address=found.alone,
        mixed_addresses=units.mixed,
        register_digest=found.digest.hex(),
        commitment=commitment.hex(),
        seed=seed.hex(),
        seed_text=text,
        seed_kind="trial",
        mark="TRIAL",
        algorithm=ALGORITHM,
        design=design,
    )


def _people(
    found: Scan, drawn: Drawn, factors: Sequence[Fraction | None]
) -> list[tuple[str, tuple[str, ...], Fraction]]:
    """Id, stratum and probability of those drawn, by id."""
    people: list[tuple[str, tuple[str, ...], Fraction]] = []
    ranks: list[int] = found.ranks.tolist()
    chances: dict[tuple[int, int], Fraction] = {}  # the same few come back again and again
    for unit in drawn.units:
        rank = ranks[unit.code]
        key = (rank, unit.weight)
        if key not in chances:
            chances[key] = (factors[rank] or Fraction(0)) * unit.weight
        people.append((found.ids.get(unit.row), found.labels[rank], chances[key]))
    people += [
        (found.ids.get(u.row), found.labels[ranks[u.code]], Fraction(u.weight, u.unit_weight))
        for u in drawn.certain
    ]
    people.sort(key=lambda person: person[0])
    return people


def _factors(drawn: Drawn, stages: Stages | None, found: Scan) -> list[Fraction | None]:
    """Probability for each unit of (whole) weight, by stratum."""
    factors: list[Fraction | None] = []
    for i, total in enumerate(drawn.totals):
        expected = stages.factors[i] if stages else Fraction(drawn.letters[i])
        factors.append(expected / total if total else None)
    return factors


def _counted(units: Sequence[Unit], found: Scan) -> list[int]:
    counts = [0] * len(found.labels)
    for unit in units:
        counts[int(found.ranks[unit.code])] += 1
    return counts

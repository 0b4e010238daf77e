"""Who is drawn, and could it have been anyone else?

A seed and the bundle's commitment give a position, the position an entry of the lottery, and tickets fill the
entry's seats, as `docs/audit/bundle.md` sets out. Everything is a hash: the same text gives the same panel on
every machine, and nobody can tell which text gives which panel without trying. That is why a text that somebody
chose is good for rehearsals alone: the record says TRIAL.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from klero import _native
from klero.errors import BundleError, Fault, InputError, OutputExistsError
from klero.ledger.bundle import bundle_files
from klero.ledger.folder import DRAW_FILE, add_file, read_bundle
from klero.ledger.verify import verify_files

if TYPE_CHECKING:
    from klero.sortition.lottery import Lottery

__all__ = ["Draw", "draw"]


@dataclass(frozen=True)
class Draw:
    """A panel drawn, and why it is this one.

    Attributes:
        panel: the ids drawn, in code point order.
        entry: the lottery's entry that won, from 0.
        position: where among the M equally likely positions the seed points.
        rejected: how many candidates for the position were passed over to keep it unbiased.
        seed_kind: «trial».
        seed_text: the text that was given.
        seed: the seed, in hexadecimal.
        mark: «TRIAL»: this draw proves nothing about chance.
        commitment: the lottery that was drawn from, in hexadecimal.
    """

    panel: tuple[str, ...]
    entry: int
    position: int
    rejected: int
    seed_kind: str
    seed_text: str
    seed: str
    mark: str
    commitment: str


def draw(bundle: str | os.PathLike[str] | Lottery, *, trial_seed: str, force: bool = False) -> Draw:
    """Draws a panel from the bundle in a folder and adds the record, `draw.json`; or from a lottery.

    Args:
        bundle: a folder, or a lottery.
        trial_seed: any text; in NFC after this call, since one text must have one spelling.
        force: replace a draw that is already there.

    Raises:
        InputError: the text is empty or not Unicode.
        BundleError: the bundle fails a check.
        OutputExistsError: a draw is there already.
    """
    text = normalize("NFC", trial_seed) if isinstance(trial_seed, str) else ""
    if not text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError(
            [
                Fault(
                    "seed-invalid",
                    "the text of a trial seed must be Unicode text, not empty",
                    "",
                    value=str(trial_seed),
                )
            ]
        )
    if not isinstance(bundle, (str, os.PathLike)):
        return _read_draw(_native.draw_file(bundle_files(bundle), text))
    files = read_bundle(bundle)
    if files.pop(DRAW_FILE, None) is not None and not force:
        raise OutputExistsError(str(Path(bundle) / DRAW_FILE))
    verify_files(files).raise_if_failed()
    record = _native.draw_file(files, text)
    add_file(bundle, DRAW_FILE, record, force=force)
    return _read_draw(record)


def _read_draw(record: bytes) -> Draw:
    fields = json.loads(record)
    if fields.pop("format") != "klero-draw/1":
        raise BundleError("the draw's record has an unknown format")
    return Draw(panel=tuple(fields.pop("panel")), **fields)

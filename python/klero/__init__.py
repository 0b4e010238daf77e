"""klero: fair, verifiable lotteries for public participation.

>>> import klero
>>> people = [{"id": f"P{i}", "gender": "woman" if i % 3 else "man"} for i in range(12)]
>>> quotas = klero.Quotas.read([{"feature": "gender", "value": v, "min": 2, "max": 2} for v in ("woman", "man")])
>>> lottery = klero.fair_lottery(klero.Pool.read(people), quotas, size=4)
>>> lottery.probability("P0"), lottery.probability("P1")
(Fraction(1, 2), Fraction(1, 4))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klero.errors import BundleError as BundleError
    from klero.errors import InfeasibleError as InfeasibleError
    from klero.errors import InputError as InputError
    from klero.errors import KleroError as KleroError
    from klero.errors import LogError as LogError
    from klero.errors import OutputExistsError as OutputExistsError
    from klero.ledger.alternates import Alternates as Alternates
    from klero.ledger.alternates import choose_alternates as choose_alternates
    from klero.ledger.bundle import write_lottery as write_lottery
    from klero.ledger.draw import Draw as Draw
    from klero.ledger.draw import draw as draw
    from klero.ledger.load import load_lottery as load_lottery
    from klero.ledger.log import StateLog as StateLog
    from klero.ledger.log import append_log as append_log
    from klero.ledger.log import read_log as read_log
    from klero.ledger.log import verify_log as verify_log
    from klero.ledger.replacement import Replacement as Replacement
    from klero.ledger.replacement import replace as replace
    from klero.ledger.states import Event as Event
    from klero.ledger.succession import verify_replacement as verify_replacement
    from klero.ledger.verify import Verification as Verification
    from klero.ledger.verify import verify as verify
    from klero.sortition.dropout import DropoutModel as DropoutModel
    from klero.sortition.dropout import estimate_dropout as estimate_dropout
    from klero.sortition.lottery import Lottery as Lottery
    from klero.sortition.lottery import fair_lottery as fair_lottery
    from klero.sortition.pool import Pool as Pool
    from klero.sortition.quotas import Quotas as Quotas

# Where each public name lives. It is imported when first used, so that `import klero` stays quick.
_HOMES = {
    "Alternates": "klero.ledger.alternates",
    "BundleError": "klero.errors",
    "Draw": "klero.ledger.draw",
    "DropoutModel": "klero.sortition.dropout",
    "Event": "klero.ledger.states",
    "InfeasibleError": "klero.errors",
    "InputError": "klero.errors",
    "KleroError": "klero.errors",
    "LogError": "klero.errors",
    "Lottery": "klero.sortition.lottery",
    "OutputExistsError": "klero.errors",
    "Pool": "klero.sortition.pool",
    "Quotas": "klero.sortition.quotas",
    "Replacement": "klero.ledger.replacement",
    "StateLog": "klero.ledger.log",
    "Verification": "klero.ledger.verify",
    "append_log": "klero.ledger.log",
    "choose_alternates": "klero.ledger.alternates",
    "draw": "klero.ledger.draw",
    "estimate_dropout": "klero.sortition.dropout",
    "fair_lottery": "klero.sortition.lottery",
    "load_lottery": "klero.ledger.load",
    "read_log": "klero.ledger.log",
    "replace": "klero.ledger.replacement",
    "verify": "klero.ledger.verify",
    "verify_log": "klero.ledger.log",
    "verify_replacement": "klero.ledger.succession",
    "write_lottery": "klero.ledger.bundle",
}

__all__ = [
    "Alternates",
    "BundleError",
    "Draw",
    "DropoutModel",
    "Event",
    "InfeasibleError",
    "InputError",
    "KleroError",
    "LogError",
    "Lottery",
    "OutputExistsError",
    "Pool",
    "Quotas",
    "Replacement",
    "StateLog",
    "Verification",
    "append_log",
    "choose_alternates",
    "draw",
    "estimate_dropout",
    "fair_lottery",
    "load_lottery",
    "read_log",
    "replace",
    "verify",
    "verify_log",
    "verify_replacement",
    "write_lottery",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from klero._native import __version__

        return __version__
    if name not in _HOMES:
        raise AttributeError(f"module 'klero' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])

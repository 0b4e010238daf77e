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
    from klero.errors import OutputExistsError as OutputExistsError
    from klero.ledger.bundle import write_lottery as write_lottery
    from klero.ledger.draw import Draw as Draw
    from klero.ledger.draw import draw as draw
    from klero.ledger.load import load_lottery as load_lottery
    from klero.ledger.verify import Verification as Verification
    from klero.ledger.verify import verify as verify
    from klero.sortition.lottery import Lottery as Lottery
    from klero.sortition.lottery import fair_lottery as fair_lottery
    from klero.sortition.pool import Pool as Pool
    from klero.sortition.quotas import Quotas as Quotas
    from klero.sortition.register.draw import invite as invite
    from klero.sortition.register.invitation import Invitation as Invitation

# Where each public name lives. It is imported when first used, so that `import klero` stays quick.
_HOMES = {
    "BundleError": "klero.errors",
    "Draw": "klero.ledger.draw",
    "InfeasibleError": "klero.errors",
    "InputError": "klero.errors",
    "Invitation": "klero.sortition.register.invitation",
    "KleroError": "klero.errors",
    "Lottery": "klero.sortition.lottery",
    "OutputExistsError": "klero.errors",
    "Pool": "klero.sortition.pool",
    "Quotas": "klero.sortition.quotas",
    "Verification": "klero.ledger.verify",
    "draw": "klero.ledger.draw",
    "fair_lottery": "klero.sortition.lottery",
    "invite": "klero.sortition.register.draw",
    "load_lottery": "klero.ledger.load",
    "verify": "klero.ledger.verify",
    "write_lottery": "klero.ledger.bundle",
}

__all__ = [
    "BundleError",
    "Draw",
    "InfeasibleError",
    "InputError",
    "Invitation",
    "KleroError",
    "Lottery",
    "OutputExistsError",
    "Pool",
    "Quotas",
    "Verification",
    "draw",
    "fair_lottery",
    "invite",
    "load_lottery",
    "verify",
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

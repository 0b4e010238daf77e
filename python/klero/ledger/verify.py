"""Does everything in this bundle follow from everything else?

The checks of `docs/audit/bundle.md`, done in Rust (`rust/ledger`). `klero/verifiers/klero_verify.py` does the same,
was written from the same page alone, and needs no klero: trust either, or compare them.

Guaranteed if all checks pass: the lottery is the one committed to, every panel meets the quotas, no lottery is
fairer by more than the stated gap, and the panel follows from the seed. Not guaranteed: that the pool is honest,
or the seed left to chance.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from klero import _native
from klero.errors import BundleError
from klero.ledger.folder import scan

__all__ = ["Check", "Verification", "verify", "verify_files"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: as in the specification.
        ok: whether it passed.
        detail: what was found, or what is wrong.
    """

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, repr=False)
class Verification:
    """All checks of a bundle, in order. True, as a condition, if all passed."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)

    @property
    def failed(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if not check.ok), None)

    def raise_if_failed(self) -> None:
        """Raises `BundleError`, naming the first check that failed, if any did."""
        if (failed := self.failed) is not None:
            raise BundleError(f"the bundle fails its check «{failed.name}»: {failed.detail}")

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __repr__(self) -> str:
        title = f"<Verification: {'all' if self.ok else 'not all'} of {len(self.checks)} checks passed>"
        return "\n".join([title, *(f"{_mark(c):<4}  {c.name:<11}  {c.detail}".rstrip() for c in self.checks)])

    def _repr_html_(self) -> str:
        rows = (
            f"<tr><td>{_mark(c)}</td><td>{c.name}</td><td>{escape(c.detail)}</td></tr>" for c in self.checks
        )
        return f"<table><tr><th></th><th>check</th><th>detail</th></tr>{''.join(rows)}</table>"


def verify(bundle: str | os.PathLike[str]) -> Verification:
    """Checks a bundle in a folder.

    Raises:
        BundleError: the folder is not there or can't be read. Whatever is in it is a matter of checks.
    """
    files, strays = scan(bundle)
    # What is no plain file must fail the check `files`: under a name that no file of a bundle can have.
    return verify_files({**files, **{f"{name}/": b"" for name in strays}})


def verify_files(files: Mapping[str, bytes]) -> Verification:
    """Checks a bundle given as bytes by file name."""
    return Verification(tuple(Check(*check) for check in _native.verify(dict(files))))


def _mark(check: Check) -> str:
    return "ok" if check.ok else "FAIL"

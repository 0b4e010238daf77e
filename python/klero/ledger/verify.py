"""Does everything in this bundle, or this record, follow from everything else?

The checks of `docs/audit/bundle.md` and of `docs/audit/protocol.md`, done in Rust (`rust/ledger`). `klero/verifiers/klero_verify.py` does the same,
was written from the same pages alone, and needs no klero: trust either, or compare them.

Guaranteed if all checks pass: the lottery is the one committed to, every panel meets the quotas, no lottery is
fairer by more than the stated gap, and the panel follows from the seed; of a record also that the seed follows from the randomness declared
beforehand, and who signed. Not guaranteed: that the pool is honest; of a bundle, that the seed was left to chance.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from klero import _native
from klero.errors import BundleError, Fault, InputError
from klero.ledger.folder import scan

__all__ = ["Check", "Verification", "verify", "verify_files", "verify_record"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: as in the specification.
        ok: whether it was made and passed.
        detail: what was found, what is wrong, or why it was not checked.
        checked: whether there was something to check; if not, it neither passed nor failed.
    """

    name: str
    ok: bool
    detail: str
    checked: bool = True

    @property
    def status(self) -> str:
        """«ok», «FAIL» or «--» (not checked)."""
        return "ok" if self.ok else "FAIL" if self.checked else "--"

    @property
    def bad(self) -> bool:
        """Whether it failed."""
        return self.checked and not self.ok


@dataclass(frozen=True, repr=False)
class Verification:
    """All checks of a bundle or record, in order. True, as a condition, if none failed.

    Attributes:
        checks: the checks.
        what: «bundle» or «record».
    """

    checks: tuple[Check, ...]
    what: str = "bundle"

    @property
    def ok(self) -> bool:
        """Whether no check failed. Of a record, some may not have been checked: see `unchecked`."""
        return not any(check.bad for check in self.checks)

    @property
    def failed(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.bad), None)

    @property
    def unchecked(self) -> tuple[Check, ...]:
        """What could not be checked: nothing there, or a tier that this copy has not."""
        return tuple(check for check in self.checks if not check.checked)

    def raise_if_failed(self) -> None:
        """Raises `BundleError`, naming the first check that failed, if any did."""
        if (failed := self.failed) is not None:
            raise BundleError(f"the {self.what} fails its check «{failed.name}»: {failed.detail}")

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __repr__(self) -> str:
        passed = sum(check.ok for check in self.checks)
        title = f"<Verification: {'all' if passed == len(self) else passed if self.ok else 'not all'} of {len(self)} checks passed>"
        return "\n".join([title, *(f"{c.status:<4}  {c.name:<11}  {c.detail}".rstrip() for c in self.checks)])

    def _repr_html_(self) -> str:
        rows = (
            f"<tr><td>{c.status}</td><td>{c.name}</td><td>{escape(c.detail)}</td></tr>" for c in self.checks
        )
        return f"<table><tr><th></th><th>check</th><th>detail</th></tr>{''.join(rows)}</table>"


def verify(
    bundle: str | os.PathLike[str], *, tsa_certificate: str | os.PathLike[str] | None = None
) -> Verification:
    """Checks a bundle or a record in a folder, or a record's ZIP.

    Args:
        bundle: the folder or the ZIP.
        tsa_certificate: for a record, the root certificate (PEM or DER) of the authority that made its time-stamps, whose signatures are then checked.

    Raises:
        BundleError: there is nothing there, or it can't be read. Whatever is in it is a matter of checks.
        InputError: the certificate can't be used, or is given for a bundle.
        MissingExtraError: time-stamps' signatures are to be checked and the package for it is not installed.
    """
    from klero.ledger.record_folder import is_record, scan_record

    if is_record(bundle):
        record, problem = scan_record(bundle)
        result = verify_record(record, problem)
        if tsa_certificate is None:
            return result
        from klero.ledger.stamps import with_signatures

        return with_signatures(result, record, tsa_certificate)
    if tsa_certificate is not None:
        message = (
            f"{os.fspath(bundle)} is a trial bundle, which has no time-stamps; leave the certificate out"
        )
        raise InputError([Fault("token-invalid", message, "")])
    files, strays = scan(bundle)
    # What is no plain file must fail the check `files`: under a name that no file of a bundle can have.
    return verify_files({**files, **{f"{name}/": b"" for name in strays}})


def verify_files(files: Mapping[str, bytes]) -> Verification:
    """Checks a bundle given as bytes by file name."""
    return Verification(tuple(Check(*check) for check in _native.verify(dict(files))))


def verify_record(files: Mapping[str, bytes], problem: str = "") -> Verification:
    """Checks a record given as bytes by file name, such as «public/declaration.json».

    Args:
        files: the files.
        problem: what is wrong with names or sizes, or with the ZIP they came in; the check `files` fails with these words.
    """
    # Under a name that no file of a record can have, `files` fails, and with it all that needs it.
    checks = _native.record_verify({"/": b""} if problem else dict(files))
    return Verification(
        tuple(
            Check(n, s == "ok", problem if problem and n == "files" else d, s != "--") for n, s, d in checks
        ),
        "record",
    )

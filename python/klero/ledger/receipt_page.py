"""What does a registered person take home on paper?

A page for each receipt: who is registered and with which characteristics, the secret that opens the own line, and a QR code with the whole
receipt. Pages for many people come as one file, a sheet each. A receipt that does not lead to its own root is refused, not printed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from klero.errors import BundleError
from klero.ledger.canonical import canonical, check_depth
from klero.ledger.paper import hash_html, page, qr_svg, rows
from klero.ledger.phrases import number
from klero.ledger.receipts import verify_receipt
from klero.words import words

__all__ = ["receipt_page"]

_STYLE = """
.receipt + .receipt { break-before: page } .code { display: flex; gap: 8mm; align-items: flex-start; break-inside: avoid }
.code > svg { flex: none } svg.qr { width: 70mm; height: 70mm } .code > div { flex: 1 }
"""


def receipt_page(
    receipts: Iterable[bytes | Mapping[str, Any]], lang: str = "en", *, title: str = "", organiser: str = ""
) -> bytes:
    """One HTML file with a sheet for each receipt.

    Args:
        receipts: each as the bytes of its file or as its fields, in the order to print.
        lang: `en` or `fr`.
        title, organiser: of the draw, to print above; a receipt does not hold them.

    Raises:
        BundleError: one is no receipt, or does not lead to its root; it is named by its place, from 1.
    """
    _ = words(lang).gettext
    sheets = []
    for place, source in enumerate(receipts, 1):
        receipt = _read(source, place)
        found = verify_receipt(receipt)
        if found.problems:
            raise BundleError(f"receipt {place} can't be printed: {found.problems[0][1]}")
        sheets.append(_sheet(receipt, found.leaf, lang, title, organiser))
    if not sheets:
        raise BundleError("there is no receipt to print")
    return page(_("Receipt of registration"), "".join(sheets), lang, more_style=_STYLE)


def _read(source: bytes | Mapping[str, Any], place: int) -> Mapping[str, Any]:
    try:
        if isinstance(source, bytes):
            check_depth(source)
        document = json.loads(source) if isinstance(source, bytes) else source
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        raise BundleError(f"receipt {place} can't be printed: it is no receipt of a public draw")
    return document


def _sheet(receipt: Mapping[str, Any], leaf: str, lang: str, title: str, organiser: str) -> str:
    _ = words(lang).gettext
    identity = receipt["identity"]
    who = [(key, escape(identity[key])) for key in sorted(identity, key=lambda key: (key != "id", key))]
    traits = [(feature, escape(value)) for feature, value in receipt["attributes"]]
    traits.append((_("Weight"), number(receipt["weight"], lang)))
    home = hash_html(receipt["household"]) if receipt["household"] else escape(_("in no listed household"))
    traits.append((_("Household"), home))
    proof = [
        (_("Draw"), escape(receipt["draw"])),
        (
            _("Line in the file leaves.txt"),
            escape(
                _("line {line} of {n} (leaf number {leaf}: the protocol counts from 0)").format(
                    line=number(receipt["leaf"] + 1, lang),
                    n=number(receipt["leaves"], lang),
                    leaf=number(receipt["leaf"], lang),
                )
            ),
        ),
        (_("Pseudonym (leaf)"), hash_html(leaf)),
        (_("Published hash"), hash_html(receipt["commitment"])),
        (_("Root of all lines"), hash_html(receipt["root"])),
        (_("Secret (salt)"), hash_html(receipt["salt"])),
    ]
    code = qr_svg(canonical(receipt), _("QR code of the receipt"))
    shown = code or f"<p>{escape(_('This receipt is too long for a QR code: keep the file as well.'))}</p>"
    keep = [
        _(
            "Keep this page, and show it only to people you trust: with the secret, anybody can find out which line is yours, and whether it was drawn."
        ),
        _(
            "It proves that you were registered before the draw, with these characteristics. If something here is wrong, tell the organiser before the draw."
        ),
        _(
            "To check: open the file of the receipt, or what this code holds, with the verifier. "
            "By hand: the pseudonym above must stand in the public file leaves.txt, at the line given."
        ),
    ]
    above = " – ".join(part for part in (organiser, title) if part)
    return (
        f'<section class="receipt">\n<h1>{escape(_("Receipt of registration"))}</h1>\n'
        + (f"<p>{escape(above)}</p>\n" if above else "")
        + f"<h2>{escape(_('Who is registered'))}</h2>\n{rows(who)}"
        + f"<h2>{escape(_('Characteristics that count in the draw'))}</h2>\n{rows(traits)}"
        + f"<h2>{escape(_('The proof'))}</h2>\n{rows(proof)}"
        + f'<div class="code">{shown}<div>{"".join(f"<p>{escape(text)}</p>" for text in keep)}</div></div>\n</section>\n'
    )

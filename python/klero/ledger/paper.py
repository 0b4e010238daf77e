"""The parts that printed pages share: one HTML file for A4, without scripts or anything from a network; tables, blanks to fill in, QR codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from klero.words import words

__all__ = ["QR_LIMIT", "blank", "page", "qr_svg", "rows", "table"]

# The most bytes that one QR code holds (version 40, level L).
QR_LIMIT = 2953

STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt "Liberation Sans", Arial, sans-serif } }
:root { color-scheme: light }
body { font: 10.5pt/1.45 "Liberation Sans", Arial, Helvetica, sans-serif; color: #000; background: #fff; max-width: 178mm; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6em; line-height: 1.2; margin: 0 0 .6rem }
h2 { font-size: 1.15em; margin: 1.6rem 0 .4rem; border-bottom: .6pt solid #000; break-after: avoid }
h3, h4 { font-size: 1em; margin: 1rem 0 .3rem; break-after: avoid }
p { margin: .4rem 0 } section { margin: 0 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 } caption { text-align: left; font-weight: bold; padding: .2rem 0 }
th, td { border: .6pt solid #777; padding: .2rem .5rem; text-align: left; vertical-align: top } th { background: #f1f1f1; print-color-adjust: exact }
td.n { text-align: right; white-space: nowrap } thead { display: table-header-group } tr, figure, .keep { break-inside: avoid }
.hash { font-family: "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: .88em; overflow-wrap: anywhere }
.big .hash, .hash.big { font-size: 1.25em; font-weight: bold; line-height: 1.7 }
.long { overflow-wrap: anywhere } table.pairs th { width: 34% }
.blank { border-bottom: 1pt dotted #000; min-width: 12rem; display: inline-block; color: #444; font-style: italic; padding: 0 .3rem }
.alert { border: 1.5pt solid #000; padding: .4rem .8rem; margin: .8rem 0; break-inside: avoid }
figure { margin: .8rem 0 } figcaption { font-size: .9em } svg.qr { display: block; width: 42mm; height: 42mm }
.next { break-before: page } .sign { display: inline-block; min-width: 45mm; min-height: 9mm }
@media print { body { margin: 0; padding: 0; max-width: none } }
"""


def page(title: str, body: str, lang: str, *, more_style: str = "") -> bytes:
    """A whole file in UTF-8. `title` is text, `body` is HTML."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}{more_style}</style>"
    )
    return f'<!doctype html>\n<html lang="{lang}"><head>{head}</head>\n<body><main>\n{body}</main></body></html>\n'.encode()


def table(
    headings: Sequence[str], lines: Iterable[Sequence[str]], *, caption: str = "", numbers: Iterable[int] = ()
) -> str:
    """A table with a row of headings; the first cell of each line is its heading. Cells are HTML, headings and caption text.

    `numbers` are the columns that hold numbers.
    """
    right = frozenset(numbers)
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(
            f'<td class="n">{cell}</td>' if i in right else f"<td>{cell}</td>"
            for i, cell in enumerate(rest, 1)
        )
        + "</tr>\n"
        for first, *rest in lines
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>\n"


def rows(lines: Iterable[tuple[str, str]]) -> str:
    """A table of two columns, name and value, the name being the line's heading. Names are text, values HTML."""
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{value}</td></tr>\n' for name, value in lines)
    return f'<table class="pairs"><tbody>\n{body}</tbody></table>\n'


def blank(lang: str) -> str:
    """A field to fill in by hand."""
    _ = words(lang).gettext
    return f'<span class="blank">{escape(_("to be filled in"))}</span>'


def hash_html(digest: str, *, size: int = 4, big: bool = False) -> str:
    """A hash in groups, in a fixed-width face."""
    from klero.ledger.phrases import grouped

    return f'<span class="hash{" big" if big else ""}">{grouped(digest, size)}</span>'


def qr_svg(data: bytes, title: str) -> str | None:
    """A QR code as SVG to stand in a page; None if the data do not fit one."""
    import segno

    if len(data) > QR_LIMIT:
        return None
    # Level M holds up to 2,331 bytes and survives a fold in the paper; above that, level L.
    level = "m" if len(data) <= 2331 else "l"
    # Trying all eight masks of a large code takes five times as long as drawing it, and there may be thousands of receipts.
    mask = None if len(data) < 300 else 2
    code = segno.make(data, error=level, micro=False, mode="byte", boost_error=False, mask=mask)
    svg = str(code.svg_inline(omitsize=True, border=4, svgclass="qr", lineclass=None, title=title))
    return svg.replace("<svg ", '<svg role="img" ', 1)

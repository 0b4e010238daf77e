"""Which quotas cost fairness, as a picture: a bar for each, by how much one seat would raise the smallest probability."""

from __future__ import annotations

from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.whatif import Loosening, WhatIf

_WIDTH, _LABELS, _ROW, _TOP = 760, 330, 34, 34
_MOST = 12


def loosenings_svg(found: WhatIf, lang: str = "en") -> str:
    """Bars from the smallest probability as it is to what it would be with each quota one and most seats looser."""
    _ = words(lang).gettext
    shown = (*found.loosenings[:_MOST], *found.pairs[: max(0, _MOST - len(found.loosenings))])
    top = max((max(one.values.values()) for one in shown), default=found.minimum)
    height = _TOP + _ROW * len(shown) + 40
    title = _("Smallest probability if a quota were looser")
    description = _("Now {value}. Quotas or pairs of quotas that would raise it: {n}.").format(
        value=percent(found.minimum, lang), n=len(found.loosenings) + len(found.pairs)
    )
    plot = _WIDTH - _LABELS - 90
    now = round(_LABELS + plot * float(found.minimum / top) if top else _LABELS, 2)
    rows = "".join(_row(found, one, i, top, lang) for i, one in enumerate(shown))
    base = _TOP + _ROW * len(shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" '
        f'font-family="sans-serif" font-size="11"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="8" y="18" font-size="13">{escape(title)}</text>{rows}'
        f'<line x1="{now}" y1="{_TOP - 6}" x2="{now}" y2="{base}" stroke="#333" stroke-dasharray="4 3"/>'
        f'<text x="{now}" y="{base + 16}" text-anchor="middle">'
        f"{escape(_('now: {value}').format(value=percent(found.minimum, lang)))}</text></svg>"
    )


def _row(found: WhatIf, one: Loosening, i: int, top: Fraction, lang: str) -> str:
    """A dark bar to the value with one seat, a light one to the value with most."""
    plot = _WIDTH - _LABELS - 90
    y = _TOP + _ROW * i
    names = [found.bound_name(b, lang) for b in one.bounds]
    last = max(one.values)
    ends = [(one.values[last], "#a9cbe3")] + [(v, "#1b5e8c") for n, v in one.values.items() if n == 1]
    bars = "".join(
        f'<rect x="{_LABELS}" y="{y + 4}" width="{round(plot * float(value / top), 2) if top else 0}" height="{_ROW - 14}" '
        f'fill="{colour}"/>'
        for value, colour in ends
    )
    labels = "".join(
        f'<text x="{_LABELS - 8}" y="{y + 17 + 12 * j - (6 if len(names) > 1 else 0)}" text-anchor="end">{escape(_cut(name))}</text>'
        for j, name in enumerate(names)
    )
    end = round(_LABELS + plot * float(one.values[last] / top) + 5 if top else _LABELS, 2)
    text = f"+{last}: {percent(one.values[last], lang)}"
    return f'{bars}{labels}<text x="{end}" y="{y + 17}">{escape(text)}</text>'


def _cut(name: str) -> str:
    return name if len(name) <= 52 else name[:51] + "…"

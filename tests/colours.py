"""How far apart two colours of a page are, by WCAG 2.1."""

from __future__ import annotations

import re


def colours_of(style: str, *, dark: bool) -> dict[str, str]:
    """The colours of a style by name, for a light or a dark screen."""
    sets = re.findall(r":root \{ (--[^}]*) \}", style)
    return {
        name: value
        for one in sets[int(dark) :: 2]
        for name, value in re.findall(r"--([a-z0-9-]+): (#\w+)", one)
    }


def contrast(one: str, other: str) -> float:
    """The contrast ratio, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    full = colour[1:] if len(colour) == 7 else "".join(2 * sign for sign in colour[1:])
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

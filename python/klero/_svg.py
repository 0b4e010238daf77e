"""What are the pictures of the pages made of? Inline SVG whose colours are those of the page, each with a title and a description in words."""

from __future__ import annotations

from klero._page import safe

__all__ = ["bar", "picture", "text_at"]


def picture(width: int, height: int, title: str, description: str, body: str) -> str:
    """A picture; its colours are classes of the page: a (accent), s (soft), m (muted), l (line), t (small text)."""
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img">'
        f"<title>{safe(title)}</title><desc>{safe(description)}</desc>{body}</svg>\n"
    )


def bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A filled rectangle of a class of the page."""
    return f'<rect class="{kind}" x="{x:.4g}" y="{y:.4g}" width="{max(width, 0):.4g}" height="{height:.4g}"/>'


def text_at(x: float, y: float, text: str, *, end: bool = False, kind: str = "") -> str:
    """Text that begins at a place, or ends there."""
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.4g}" y="{y:.4g}"{anchor}{f""" class="{kind}" """.rstrip() if kind else ""}>{safe(text)}</text>'

"""What would a person read in this piece of HTML?

Platforms export what an editor wrote: «<p>Oui&nbsp;!</p>». Tags of HTML go, those of blocks (p, div, li, br, …) leave a line break, scripts and
styles go with what is in them, and entities become their characters. Only a cell that holds one of these changes.

Method. Not the standard library's `html.parser`: it takes any «<» with a letter after it for a tag, and text would be lost («si a <b et c> d», «<nom du
maire>»). Here a tag is a name of HTML's own with attributes as HTML writes them; all else that looks like one is text, and stays.

Guaranteed: outside tags, comments, scripts and styles no visible character is lost, however broken the HTML; time grows with the length alone. Not
guaranteed: layout. Cells of a table are set apart by a blank, and images and links leave nothing but their text.

>>> plain("<p>a &lt; b</p><p>I <3 R&amp;D</p>")
'a < b\\n\\nI <3 R&D'
>>> plain("a < b, <nom> et <3")
'a < b, <nom> et <3'
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

__all__ = ["CANDIDATE", "plain"]

CANDIDATE = r"<[A-Za-z/!?]|&(?:[A-Za-z]|#)"
"""What a cell with HTML holds at the least: for a first, fast look at a whole column (RE2 reads it too)."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS = _names(
    "address article aside blockquote center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr "
    "legend li main nav ol option p pre section select summary table tbody tfoot thead tr ul"
)
_PARAGRAPHS = _names("blockquote h1 h2 h3 h4 h5 h6 p table ul ol dl")
_HIDDEN = _names("script style")
_INLINE = _names(
    "a abbr acronym audio b bdi bdo big body br button canvas caption cite code col colgroup data datalist del dfn em embed font frame "
    "frameset head html i iframe img input ins kbd label link map mark meta meter noframes noscript object optgroup output param picture "
    "progress q rp rt ruby s samp script small source span strike strong style sub sup svg path td template textarea th time title tt u var "
    "video wbr"
)
_NAMES = "|".join(sorted(_BLOCKS | _INLINE, key=lambda name: (-len(name), name)))
_BOOLEAN = "|".join(
    _names(
        "allowfullscreen async autofocus autoplay checked compact controls defer disabled hidden loop multiple muted noshade nowrap open "
        "readonly required reversed selected"
    )
)
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
_TOKEN = re.compile(
    rf"<(?P<close>/?)(?P<name>{_NAMES}|[ovwxm]:\w+)(?P<rest>(?:\s+(?:[A-Za-z_:][\w:.-]*\s*=\s*{_VALUE}|(?:{_BOOLEAN})(?=[\s/>])))*)\s*/?>"
    r"|(?P<open><!--|<!DOCTYPE\b|<\?xml\b)"
    r"|(?P<entity>&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)",
    re.IGNORECASE,
)
_ENDS = {"<!--": "-->", "<!doctype": ">", "<?xml": ">"}
_LINE, _BLOCK, _PARAGRAPH = (
    "\ue000",
    "\ue001",
    "\ue002",
)  # private: taken out of the text before they are used
_MARKS = _LINE + _BLOCK + _PARAGRAPH
_PRIVATE = str.maketrans(dict.fromkeys(_MARKS, "\ufffd"))


def plain(text: str) -> str:
    """The text that a reader of this HTML sees; a text without HTML is returned as it is.

    A text with tags of blocks is laid out anew: line breaks and runs of blanks in the source count as one blank, as in a browser.
    """
    if "<" not in text and "&" not in text:
        return text
    text = text.translate(_PRIVATE) if any(mark in text for mark in _MARKS) else text
    parts: list[str] = []
    at, found, blocks = 0, False, False
    for start, end, put in _pieces(text):
        parts += filter(None, (text[at:start], put))
        at, found = end, True
        blocks = blocks or (bool(put) and put in _MARKS)
    if not found:
        return text
    parts.append(text[at:])
    return _laid_out("".join(parts)) if blocks else "".join(parts)


def _laid_out(text: str) -> str:
    text = re.sub(r"[ \t\r\n\f]+", " ", text)
    return re.sub(f" ?[{_MARKS}][ {_MARKS}]*", _between, text).strip("\n ")


def _between(marks: re.Match[str]) -> str:
    """As many line ends as stand between what is before these marks and what is after: two at most, with an empty line between paragraphs."""
    if _PARAGRAPH in marks[0]:
        return "\n\n"
    return "\n" * min(2, max(1, marks[0].count(_LINE)))


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """(begin, end, what stands there instead) of each tag, comment and entity, in order."""
    missing: set[str] = (
        set()
    )  # ends that are not to come: without this a text of «<!--<!--…» would take quadratic time
    lower = ""
    at = 0
    while match := _TOKEN.search(text, at):
        at = match.end()
        if entity := match["entity"]:
            put = html.unescape(entity)
            if put != entity:
                yield match.start(), at, put
            continue
        name = (match["open"] or match["name"]).lower()
        put = "" if match["open"] else _instead(name)
        wanted = _ENDS.get(name) or (f"</{name}" if name in _HIDDEN and not match["close"] else "")
        if wanted and wanted not in missing:
            lower = lower or _lowered(text)
            end = lower.find(wanted, at)
            if end < 0:
                missing.add(wanted)
            elif wanted.startswith("</"):
                closed = lower.find(">", end)
                at = closed + 1 if closed >= 0 else len(text)
            else:
                at = end + len(wanted)
        if match["open"] and wanted in missing:
            continue
        yield match.start(), at, put


def _lowered(text: str) -> str:
    """ASCII letters in lower case; other letters may change their length, and places would no longer fit."""
    return text.translate({c: c + 32 for c in range(ord("A"), ord("Z") + 1)})


def _instead(name: str) -> str:
    if name in _PARAGRAPHS:
        return _PARAGRAPH
    if name in _BLOCKS or name == "br":
        return _BLOCK if name in _BLOCKS else _LINE
    return " " if name in ("td", "th", "img") else ""

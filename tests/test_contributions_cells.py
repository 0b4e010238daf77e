"""Contributions: HTML, times, stances, votes, authors under pseudonyms, personal data."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contribution_cases import ROWS, faults_of
from klero.voices.cleaning import Changes, clean_column, clean_text
from klero.voices.contributions import Contributions
from klero.voices.fields import stance_of, time_of, votes_of
from klero.voices.html_text import plain
from klero.voices.pseudonyms import PseudonymKey, new_key, read_key

# --- HTML, times, stances, votes


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a &lt; b</p><p>I <3 R&amp;D</p>", "a < b\n\nI <3 R&D"),
        ("a < b, <nom> et <3", "a < b, <nom> et <3"),
        ("si a <b et c> d", "si a <b et c> d"),
        ("<ul><li>un</li><li>deux</li></ul>fin", "un\ndeux\n\nfin"),
        ("un<br>deux<br/>trois<BR />quatre", "un\ndeux\ntrois\nquatre"),
        ("<script>var a = '<p>';</script>ok<style>p {}</style>", "ok"),
        ("<script>jamais fermé", "jamais fermé"),
        ("<!-- caché -->vu<!-- ouvert", "vu<!-- ouvert"),
        ('<a href="https://example.org?a=1&amp;b=2" target=_blank>lien</a>', "lien"),
        ("?a=1&copy=2 &eacute; &bogus; &#233; &#xE9;", "?a=1&copy=2 é &bogus; é é"),
        ("<b>gras</b>\nligne", "gras\nligne"),
        ("<p>une\nphrase   longue</p>\n<p>puis</p>", "une phrase longue\n\npuis"),
        ("<p class='a' data-x=1 hidden>x</p", "x</p"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<o:p></o:p>Word<?xml version='1'?>", "Word"),
        ("&lt;p&gt;", "<p>"),
        ("<p>É<script>İ</script>b</p>", "Éb"),
        ("", ""),
    ],
)
def test_html_becomes_what_a_reader_sees(html: str, text: str) -> None:
    assert plain(html) == text


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<p",
                "<br>",
                "<",
                ">",
                "</",
                "<b",
                "<b>",
                "<nom>",
                "<3",
                "&amp;",
                "&",
                "&#",
                "&#65;",
                "<!",
                "<?",
                "<p class='a'>",
                '"',
                "<p a",
                " ",
                "\n",
                "<h1>",
            ]
        ),
        max_size=12,
    )
)
def test_words_between_broken_tags_are_never_lost(pieces: list[str]) -> None:
    words = [f"mot{i}" for i in range(len(pieces) + 1)]
    text = words[0] + "".join(f"{piece} {word} " for piece, word in zip(pieces, words[1:], strict=True))
    assert re.findall(r"mot\d+", plain(text)) == words


@given(st.text(max_size=60) | st.text("<p>/&amp;\r\n\x00\x0b\x1fe\u0301b ", max_size=60))
def test_cleaning_columns_is_cleaning_texts_and_twice_is_once(text: str) -> None:
    for html in (True, False):
        changes = Changes()
        (cell,) = clean_column(pa.array([text], pa.large_string()), changes, html=html).to_pylist()
        assert cell == clean_text(text, html=html)
        if not html:
            assert clean_text(cell, html=False) == cell
        if cell != text:
            assert changes.html + changes.breaks + changes.controls + changes.composed > 0


def test_broken_html_of_a_megabyte_takes_linear_work() -> None:
    for piece in ("<p>", "<!--", "<script>", "<b ", "&", "<a href=", "<p a=1"):
        assert isinstance(plain(piece * (400_000 // len(piece))), str)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2019-01-16 10:58:44 +0100", "2019-01-16 09:58:44+00:00"),
        ("2015-10-17T09:46:06+0200", "2015-10-17 07:46:06+00:00"),
        ("2019-01-16T10:58:44.5Z", "2019-01-16 10:58:44.500000+00:00"),
        ("2019-01-16 10:58:44 UTC", "2019-01-16 10:58:44+00:00"),
        ("2019-01-16", "2019-01-16 00:00:00+00:00"),
        ("1403054214", "2014-06-18 01:16:54+00:00"),
        ("1403054214196", "2014-06-18 01:16:54.196000+00:00"),
        ("1403054214196000", "2014-06-18 01:16:54.196000+00:00"),
        ("16/01/2019", "2019-01-16 00:00:00+00:00"),
        ("16/01/2019 10:58", "2019-01-16 10:58:00+00:00"),
        ("16.01.2019 à 10h58", "2019-01-16 10:58:00+00:00"),
        ("le mercredi 16 janvier 2019 à 10h58", "2019-01-16 10:58:00+00:00"),
        ("1er août 2019", "2019-08-01 00:00:00+00:00"),
        ("3 de marzo de 2019", "2019-03-03 00:00:00+00:00"),
        ("2015-09-15 0 days 10:50:19", "2015-09-15 10:50:19+00:00"),
    ],
)
def test_times_are_read_in_the_forms_of_the_platforms(text: str, moment: str) -> None:
    assert str(time_of(text)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demain",
        "2019",
        "0",
        "31/02/2019",
        "10/17/2019",
        "2019-13-01",
        "99999999999999999",
        "1",
        "16 brumaire 2019",
        "²²²²²²²²²",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert time_of(text) is None


def test_cells_that_are_not_understood_are_counted_and_shown() -> None:
    rows = [
        {"text": "a", "time": t, "stance": s, "votes": v}
        for t, s, v in [
            ("demain", "bleu", "x"),
            ("", "", ""),
            ("2019-01-01", "YES", "1 234"),
            ("?", "?", "-1"),
        ]
    ]
    read = Contributions.read(rows)
    counts = read.counts
    assert (counts.times, counts.stances, counts.votes) == (2, 2, 2)
    assert ("time", 1, "demain") in counts.unread
    assert ("votes", 4, "-1") in counts.unread
    assert read.table.column("votes").to_pylist() == [None, None, 1234, None]
    assert read.table.column("stance").to_pylist() == [None, None, "for", None]


def test_stances_and_votes_of_several_spellings() -> None:
    assert {
        stance_of(text)
        for text in ("POUR", "for", "1", "+1", "À favor", "d’accord", "Agree", "sí", "yes", "FOR")
    } == {"for"}
    assert {
        stance_of(text) for text in ("contre", "Against", "-1", "en contra", "pas d'accord", "NO", "disagree")
    } == {"against"}
    assert {stance_of(text) for text in ("0", "neutre", "mitigé", "Pass", "ni pour ni contre")} == {"neutral"}
    assert [
        votes_of(text)
        for text in ("6560", "1,234", "12,5", "12.0", "1\u202f000", "", "NaN", "-3", "9" * 19, "1e3")
    ] == [*(6560, 1234, None, 12, 1000, None, None, None, None, 1000)]


def test_votes_of_several_columns_are_added_and_alternatives_tried() -> None:
    rows = [
        {"text": "a", "yes": "3", "no": "2", "old": "9"},
        {"text": "b", "yes": "", "no": "2", "old": "9"},
        {"text": "c", "yes": "", "no": "", "old": "9"},
    ]
    assert Contributions.read(rows, votes="yes+no|old").table.column("votes").to_pylist() == [5, 2, 9]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["", " ", "x", "y", None])] * 3), min_size=1, max_size=8))
def test_expressions_join_what_is_filled_and_take_the_first_that_is(
    cells: list[tuple[str | None, str | None, str | None]],
) -> None:
    table = pa.table({name: pa.array([row[i] for row in cells], pa.string()) for i, name in enumerate("abc")})
    table = table.append_column("id", pa.array(range(len(cells))))
    wanted = []
    for row in cells:
        a, b, c = (cell if cell and cell.strip() else "" for cell in row)
        wanted.append("\n\n".join(filter(None, (a, b))) or c)
    if any(wanted):
        assert Contributions.read(table, text="a+b|c").texts.to_pylist() == wanted


# --- pseudonyms


def test_an_author_has_one_pseudonym_under_one_key(tmp_path: Path) -> None:
    path = tmp_path / "authors.key"
    new_key(path)
    assert path.stat().st_mode & 0o077 == 0
    rows = [
        {"text": "a", "author": "Zoé"},
        {"text": "b", "author": "Zoe\u0301 "},
        {"text": "c", "author": ""},
        {"text": "d", "author": "zoé"},
    ]
    one, same, none, other = Contributions.read(rows, pseudonymise=path).table.column("author").to_pylist()
    assert one == same == read_key(path).pseudonym("Zoé") != other
    assert none is None
    assert one.startswith("p-")
    assert len(one) == 34
    new_key(tmp_path / "other.key")
    assert read_key(tmp_path / "other.key").pseudonym("Zoé") != one
    assert path.read_text().strip() not in repr(read_key(path))


def test_the_pseudonym_is_what_openssl_computes() -> None:
    # printf 'klero-author/1\0Zoé' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…00
    assert PseudonymKey(bytes(32)).pseudonym("Zoé") == "p-2a88ffcf932020bc5110557bc3ccd005"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "64 hexadecimal"),
        (b"\xff\xfe\xff", "no text"),
        (b"0" * 64, "no random"),
        (b"-----BEGIN PRIVATE KEY-----\nx\n", "another purpose"),
        (b"ab" * 31, "64 hex"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "authors.key"
    path.write_bytes(data)
    (fault,) = faults_of(lambda: Contributions.read(ROWS, pseudonymise=path))
    assert fault.code == "pseudonym-key"
    assert what in fault.message
    assert "openssl rand -hex 32" in fault.message
    assert "abab" not in fault.message
    (fault,) = faults_of(lambda: read_key(tmp_path / "none.key"))
    assert fault.code == "file-missing"
    assert "openssl rand -hex 32" in fault.message


# --- personal data in texts


def test_a_scan_counts_and_hides_and_a_mask_replaces() -> None:
    rows = [
        {"id": "c1", "text": "écrivez à zoe@example.org ou au 06 39 98 12 34"},
        {"id": "c2", "text": "le 12/03/2019"},
    ]
    read = Contributions.read(rows, scan=True)
    assert read.personal is not None
    assert read.personal.counts == {"e-mail": 1, "phone": 1}
    assert read.personal.contributions == 1
    assert read.personal.examples == (("e-mail", "c1", "zo•@•••••••.•••"), ("phone", "c1", "06 •• •• •• ••"))
    assert read.texts.to_pylist()[0] == rows[0]["text"]
    masked = Contributions.read(rows, mask=True, lang="fr")
    assert masked.texts.to_pylist() == ["écrivez à [e-mail] ou au [téléphone]", "le 12/03/2019"]
    assert masked.personal is not None
    assert masked.personal.masked
    assert Contributions.read(rows).personal is None

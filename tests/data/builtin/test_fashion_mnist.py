"""Fashion-MNIST: where it is looked for, in what order, and how a download is checked."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import struct
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data.builtin import fashion_mnist
from ganvas.data.open import open_source
from ganvas.errors import DataError


def write_copy(folder: Path, count: int, pack: bool = True) -> Path:
    """A stand-in for the data set whose split sizes tell it apart."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in fashion_mnist.SHA256:
        shape = (count, 28, 28) if "images" in name else (count,)
        head = bytes((0, 0, 8, len(shape))) + b"".join(struct.pack(">I", n) for n in shape)
        content = head + bytes(count * (784 if "images" in name else 1))
        (folder / (name + ".gz" * pack)).write_bytes(gzip.compress(content, mtime=0) if pack else content)
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine, and the folder it serves."""
    (tmp_path / "served").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served"))) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", tmp_path / "served"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the real mirror or the system's copy."""
    monkeypatch.setattr(fashion_mnist, "URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_digits_under_the_same_names_are_no_clothes(tmp_path: Path) -> None:
    labels = open_source(DataConfig(source="mnist", split="test")).fields["label"].to(torch.uint8).numpy().tobytes()
    write_copy(tmp_path, 2)
    assert fashion_mnist.is_complete(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(struct.pack(">II", 2049, 10_000) + labels))
    assert not fashion_mnist.is_complete(tmp_path)


def count() -> int:
    return len(open_source(DataConfig(source="fashion")))


@pytest.mark.parametrize("pack", [True, False])
def test_places_are_searched_in_order(tmp_path: Path, cache_root: Path, monkeypatch: pytest.MonkeyPatch, pack: bool) -> None:
    write_copy(cache_root / "ganvas" / "fashion-mnist", 1, pack)
    assert count() == 1
    write_copy(tmp_path / "debian", 2, pack)
    assert count() == 2
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "mine"))
    assert count() == 2
    write_copy(tmp_path / "mine" / "fashion-mnist", 3, pack)
    assert count() == 3
    write_copy(tmp_path / "mine", 4, pack)
    assert count() == 4
    (tmp_path / "mine" / ("t10k-labels-idx1-ubyte" + ".gz" * pack)).unlink()
    assert count() == 3  # an incomplete copy does not count


def test_nowhere_names_the_four_ways(cache_root: Path) -> None:
    with pytest.raises(DataError, match=r"GANVAS_DATA.*dataset-fashion-mnist.*fashion-mnist.*http://127\.0\.0\.1:9/"):
        count()
    assert not list((cache_root / "ganvas" / "fashion-mnist").iterdir())


def serve(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_copy(served, 2)
    digests = {
        name: hashlib.sha256(gzip.decompress((served / f"{name}.gz").read_bytes())).hexdigest() for name in fashion_mnist.SHA256
    }
    monkeypatch.setattr(fashion_mnist, "SHA256", digests)


def test_download_is_checked_and_kept(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, cache_root: Path) -> None:
    url, served = server
    serve(served, monkeypatch)
    monkeypatch.setattr(fashion_mnist, "URL", url)
    assert count() == 2
    shutil.rmtree(served)
    assert count() == 2
    assert len(list((cache_root / "ganvas" / "fashion-mnist").iterdir())) == 4


@pytest.mark.parametrize("damage", ["other", "cut", "plain", "missing"])
def test_a_wrong_download_leaves_nothing(
    server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    url, served = server
    serve(served, monkeypatch)
    file = served / "train-images-idx3-ubyte.gz"
    content = file.read_bytes()
    file.write_bytes({"other": gzip.compress(b"other"), "cut": content[:-20], "plain": b"<html>", "missing": b""}[damage])
    if damage == "missing":
        file.unlink()
    with pytest.raises((DataError, OSError), match="404" if damage == "missing" else "SHA-256"):
        fashion_mnist.download(tmp_path / "target", url)
    assert not list((tmp_path / "target").iterdir())


def test_checksums_are_those_of_the_originals(originals: Path) -> None:
    for name, digest in fashion_mnist.SHA256.items():
        assert hashlib.sha256(gzip.decompress((originals / "fashion-mnist" / f"{name}.gz").read_bytes())).hexdigest() == digest


def test_originals_are_read_with_their_class_names(originals: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(originals))
    source = open_source(DataConfig(source="fashion", split="test"))
    assert len(source) == 10_000
    assert source.classes[int(source.fields["label"][0])] == "Ankle boot"

"""Fashion-MNIST: found on this machine, or downloaded once. Source: arXiv:1708.07747; licence MIT, Zalando SE."""

from __future__ import annotations

import gzip
import hashlib
import os
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path

from ganvas.data import cache
from ganvas.data.collection import DataSource, Progress
from ganvas.data.readers import idx
from ganvas.errors import DataError, ResourceError
from ganvas.utils.files import make_folder, write_durably

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"  # of the authors; it has no https: checksums are needed
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist
SHA256 = {  # of the unpacked files: gzip headers contain a date, so packed files differ between mirrors
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
DIGITS = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"  # test labels of MNIST: its files have equal names
MAX_BYTES = 64 << 20  # of one file, packed or not
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def find(split: str, progress: Progress | None = None) -> DataSource:
    """The images of one split, downloaded if there is no copy on this machine.

    Raises:
        DataError: there is no copy and the download fails; the message lists four ways to provide one.
    """
    for folder in list_folders():
        if is_complete(folder) and (found := idx.find_folder(folder, split, CLASSES)):
            return found
    try:
        download(list_folders()[-1], progress=progress)
    except (OSError, HTTPException, ValueError, ResourceError, DataError) as error:
        raise DataError(
            "Fashion-MNIST is not on this machine: set GANVAS_DATA to a folder with its four files, or install the Debian "
            f"package dataset-fashion-mnist, or put them in {list_folders()[-1]}, or allow the download from {URL} ({error})"
        ) from None
    return find(split)


def list_folders() -> list[Path]:
    """The folders to search, in order; downloads go to the last one."""
    given = os.environ.get("GANVAS_DATA")
    own = [Path(given), Path(given) / "fashion-mnist"] if given else []
    return [*own, DEBIAN, cache.cache_folder() / "fashion-mnist"]


def is_complete(folder: Path) -> bool:
    """Whether a folder has all four files, packed or not, and they are not those of MNIST, which have the same names."""
    if not all((folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in SHA256):
        return False
    labels = folder / list(SHA256)[-1]
    try:
        with labels.open("rb") if labels.is_file() else gzip.open(f"{labels}.gz") as file:
            return hashlib.sha256(file.read(1 << 20)).hexdigest() != DIGITS
    except (OSError, EOFError, zlib.error):
        return True  # damaged: the reader reports how


def download(folder: Path, url: str | None = None, progress: Progress | None = None) -> None:
    """Download the four files into `folder`; each file is checked before it is written, atomically.

    Raises:
        DataError: a file is not that of Fashion-MNIST. OSError, HTTPException, ResourceError: network or disk failed.
    """
    make_folder(folder)
    for done, (name, wanted) in enumerate(SHA256.items()):
        if progress:
            progress(done, len(SHA256))
        address = f"{(url or URL).rstrip('/')}/{name}.gz"
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  (the address is ours)
            packed = answer.read(MAX_BYTES + 1)
        try:
            plain = zlib.decompressobj(wbits=31).decompress(packed, MAX_BYTES)
        except zlib.error:
            plain = b""
        if len(packed) > MAX_BYTES or hashlib.sha256(plain).hexdigest() != wanted:
            raise DataError(f"{address}: its contents do not have the SHA-256 {wanted}; try another network")
        write_durably(folder / f"{name}.gz", packed)
    if progress:
        progress(len(SHA256), len(SHA256))

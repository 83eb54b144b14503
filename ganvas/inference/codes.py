"""Codes: places in a latent space that belong to no seed, such as those of inverted pictures, and the file that keeps them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.errors import DataError
from ganvas.utils.files import disk_errors, read_regular, write_durably
from ganvas.utils.parsing import printable

NAME = "codes.npz"
SPACES = ("z", "w", "w+")
MOST_BYTES = 256 << 20  # of a file
MOST_CODES = 100_000


@dataclass(frozen=True)
class Codes:
    """Codes [N, d] in z or w, or [N, styles, d] in w+; their classes [N] if the model has any; what each is called.

    `model`: the identity of the model they were found with, as in the pictures; "" where nobody wrote it down.
    """

    space: str
    codes: Tensor
    classes: Tensor | None = None
    names: tuple[str, ...] = ()
    model: str = ""

    def __len__(self) -> int:
        return len(self.codes)

    def save(self, path: Path) -> Path:
        """Write them as an .npz: `space`, `codes` float32, `names`, `model`, and `classes` int64 if there are any.

        Raises:
            ResourceError: the file cannot be written.
        """
        classes = {} if self.classes is None else {"classes": self.classes.numpy().astype(np.int64)}
        named = {"space": np.array(self.space), "names": np.array(self.names, dtype=np.str_)}
        named["model"] = np.array(self.model)
        data = io.BytesIO()
        np.savez(data, codes=self.codes.numpy().astype(np.float32), **named, **classes)  # type: ignore[arg-type]
        with disk_errors(f"cannot write {printable(path)}"):
            write_durably(path, data.getvalue())
        return path

    def choose(self, name: str) -> Codes:
        """The code of this name alone.

        Raises:
            DataError: there is none, or there are several.
        """
        rows = [i for i, each in enumerate(self.names) if each == name]
        if len(rows) != 1:
            raise DataError(f"codes: expected one of {list_few(self.names)}; got {printable(name)!r}")
        classes = None if self.classes is None else self.classes[rows]
        return replace(self, codes=self.codes[rows], classes=classes, names=(name,))


def load_codes(place: str | Path, latent_dim: int, classes: int, styles: int = 0) -> Codes:
    """The codes in a file; of `FILE#NAME` the one of this name.

    They are for a model with codes of `latent_dim` numbers, so many classes (0: none), and `styles` layers that take w.

    Raises:
        DataError: no such file, no such name, or other contents; the message says which.
    """
    path, _, name = str(place).partition("#") if not Path(place).is_file() else (str(place), "", "")
    codes = _read(Path(path), latent_dim, classes, styles)
    return codes.choose(name) if name else codes


def _read(path: Path, latent_dim: int, classes: int, styles: int) -> Codes:
    what = printable(path)
    if not path.is_file():
        raise DataError(f"{what}: no such file; `ganvas invert` writes one")
    try:
        data = read_regular(path, MOST_BYTES)
        if not zipfile.is_zipfile(io.BytesIO(data)):  # such as a picture, or a .npy, which NumPy would read as well
            raise ValueError
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            found = {name: file[name] for name in ("space", "codes", "names", "classes", "model") if name in file}
    except OSError as error:
        raise DataError(f"{what}: {error.strerror or 'it cannot be read'}; check the file") from None
    except (ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error):  # NumPy's words are of no help
        raise DataError(f"{what}: expected a file of codes ({NAME}) as `ganvas invert` writes it; this is none") from None
    space, codes = str(found.get("space", "")), found.get("codes", np.zeros(0))
    dims = 3 if space == "w+" else 2
    if space not in SPACES or codes.ndim != dims or codes.dtype != np.float32 or not 0 < len(codes) <= MOST_CODES:
        expected = "`space` z or w and `codes` float32 [n, d], or w+ and [n, styles, d]"
        raise DataError(f"{what}: expected {expected}; write it with `ganvas invert`")
    if codes.shape[-1] != latent_dim:
        raise DataError(f"{what}: its codes have {codes.shape[-1]} numbers, those of this model {latent_dim}")
    if space != "z" and not styles:
        raise DataError(f"{what}: its codes are styles {space}, and this model has none; invert with this model")
    if space == "w+" and codes.shape[1] != styles:
        raise DataError(f"{what}: its codes are for {codes.shape[1]} layers, this model has {styles}")
    if not np.isfinite(codes).all():
        raise DataError(f"{what}: a code is not finite; write it again with `ganvas invert`")
    labels = _read_classes(what, found.get("classes"), len(codes), classes)
    names = tuple(printable(name) for name in np.ravel(found.get("names", np.zeros(0)))[: len(codes)])
    return Codes(space, torch.from_numpy(codes.copy()), labels, names, printable(found.get("model", ""), 100))


def list_few(names: Sequence[str]) -> str:
    """The first names, for a message."""
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") if names else "no names"


def list_names(codes: Codes) -> list[str]:
    """What each code is called; its number, from 0, where the file does not say it."""
    return list(codes.names) if len(codes.names) == len(codes) else [str(i) for i in range(len(codes))]


def name_places(seeds: Sequence[int] | Codes) -> str:
    """What is written into a picture: the seeds, or the names of codes."""
    return ",".join(list_names(seeds) if isinstance(seeds, Codes) else map(str, seeds))


def _read_classes(what: str, given: np.ndarray[Any, Any] | None, count: int, classes: int) -> Tensor | None:
    if not classes:
        return None
    if given is None or given.shape != (count,) or given.dtype != np.int64 or given.min() < 0 or given.max() >= classes:
        raise DataError(f"{what}: expected `classes` from 0 to {classes - 1}, one for each code; invert with this model")
    return torch.from_numpy(given.copy())

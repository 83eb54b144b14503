"""The bundle: a .safetensors file with the weights to use a game, and a card in JSON with its recipe.

Networks that only training and judging need (`Game.kept_apart`, such as D) are in a second file of the same format beside it.
Its card has the hash of the bundle that it belongs to. A file of an older version holds the whole game.

The card's `recipe` names the game and holds its config; the name is looked up in GAMES. No pickle, and a file never names
code to import. A file is checked before memory is allocated for it: the header against the size of the
file, then the game, built without memory (meta device), against the header (`bundle_layout.py`).

The card also holds a SHA-256 of the whole file (`file_hash.py`), so that damage is found. A file of an older version has none.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ganvas.core.game import Game
from ganvas.data.open import shorten_path
from ganvas.errors import DataError, DivergedError, GanvasError, UsageError
from ganvas.inference import file_hash
from ganvas.inference.absent import Absent
from ganvas.inference.bundle_layout import (
    Part,
    assemble,
    compare_layouts,
    list_few,
    make_draft,
    read_recipe,
    rename_weights,
    select,
)
from ganvas.inference.shipped_models import explain_absence, find_model
from ganvas.runtime import placement
from ganvas.utils import files, parsing, safetensors_header
from ganvas.utils.settings import to_dict

# Keys of the file's metadata. The number is higher where older versions would misread a file.
FORMAT = "ganvas-1"  # a whole game
SPLIT = "ganvas-2"  # a part of a game: without `Game.kept_apart`, or these networks alone
NEWEST = 2
NAME = "model.safetensors"  # in a run folder
MANY = 5000  # numbers of a weight that is stored in half its bits; smaller ones, as of mapping networks, matter much
OF = "discriminator_of"  # in the card of a discriminator: the SHA-256 of its bundle


def discriminator_path(bundle: Path) -> Path:
    """The file with the discriminator of a bundle: model.discriminator.safetensors beside model.safetensors."""
    return bundle.with_suffix(".discriminator.safetensors")


def identify(path: Path) -> str:
    """The first twelve digits of a bundle's SHA-256, by which pictures and codes name their model."""
    return files.sha256(path)[:12]


def save(path: Path, game: Game, card: Mapping[str, Any], *, half: bool = False) -> None:
    """Write the bundle of `game` with `card`, and then its discriminator beside it; each atomically and durably.

    `half`: large weights of 32 bits are stored in 16, which halves the file, and there is no discriminator beside it. Biases
    and factors of a channel keep their bits: they are few, and much depends on each.

    Nothing is written that `load` would refuse. A crash in between leaves a discriminator that belongs to the older bundle:
    this is noticed where it is loaded, and a run that is resumed writes both again.

    Raises:
        DivergedError: a weight is NaN or infinite.
        UsageError: `card` is not JSON, or its recipe rebuilds another game than `game`.
        ResourceError: the disk refused; an older file of that name is untouched.
    """
    state, make = game.state_dict(), type(game)
    if bad := _find_non_finite(state):
        raise DivergedError(f"not saved: {len(bad)} weights hold NaN or infinity ({', '.join(bad[:3])})")
    apart = None
    try:
        part: Part = "model" if make.kept_apart else "whole"
        data, digest = _pack(game, select(make, state, part), card, part, half)
        if make.kept_apart and not half and not _find_absent(game):
            part = "discriminator"
            apart, _ = _pack(game, select(make, state, part), {**card, OF: digest}, part)
    except (DataError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{parsing.printable(path)} not saved: {parsing.printable(error)}") from None
    files.write_durably(path, data)  # first, because it is what most verbs need
    if apart is not None:
        files.write_durably(discriminator_path(path), apart)


def _pack(
    game: Game, weights: Mapping[str, Tensor], card: Mapping[str, Any], part: Part, half: bool = False
) -> tuple[bytes, str]:
    """The bytes of a file with this part of the game, and their hash.

    Raises:
        DataError, TypeError, ValueError: it could not be loaded.
    """
    # Copies: the format knows neither strides nor weights that networks share.
    dense = {name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in weights.items()}
    if half:
        dense = {name: t.half() if t.dtype == torch.float32 and t.numel() >= MANY else t for name, t in dense.items()}
        if bad := _find_non_finite(dense):
            raise ValueError(f"{list_few(bad)} does not fit into 16 bits")
    # One key only: safetensors writes several in any order, and equal models should be equal files.
    key = FORMAT if part == "whole" else SPLIT
    data = file_hash.fill(safetensors.torch.save(dense, {key: json.dumps(file_hash.reserve(card))}))
    header = _read_header(BytesIO(data), len(data))
    if header.part != part:
        raise DataError(f"its card must not have the key {OF!r}")
    make, config = read_recipe(header.card)
    compare_layouts(make_draft(make, config, part, header.layout, len(data)).layout, header.layout)
    if make is not type(game) or to_dict(config) != to_dict(game.config):
        raise DataError(f"the card's recipe is not that of this {type(game).__name__}")
    return data, header.digest or ""


def _log_word(word: str) -> None:
    logging.getLogger(__name__).warning("%s", word)


def load(
    path: Path,
    device: torch.device | str = "cpu",
    tell: Callable[[str], None] = _log_word,
    *,
    discriminator: bool = False,
) -> tuple[Game, dict[str, Any]]:
    """The game, rebuilt with its weights on `device` in eval mode, and its card. `path` is a bundle or a run folder.

    In place of its discriminator it has `Absent` networks, unless the bundle is of an older version, which holds them too, or
    `discriminator` asks for them. The random state is left as it was. `tell` gets a message if the file is of an older
    version, which stored no hash.

    Raises:
        DataError: not a bundle, damaged, with weights that are not finite, or not what this version's game of that name
            looks like; or no discriminator of it, if it is asked for.
    """
    with _open_bundle(find_model(path)) as (file, size):
        header, bundle = _read_model_header(file, size), Path(file.name)
        card = _restore_path(header.card, bundle.parent)
        game = _read_game(file, size, header, tell)
    if header.part == "model":
        for name in game.kept_apart:
            setattr(game, name, Absent(bundle, header.digest or ""))
    game.eval().to(device)
    if discriminator:
        load_discriminator(game)
    return game, card


def load_discriminator(game: Game) -> None:
    """Load the networks of a loaded game that its bundle lacks, from the file beside it; does nothing if it has them all.

    Raises:
        DataError: the file is not there, damaged, or belongs to another bundle.
    """
    absent = _find_absent(game)
    if absent is None:
        return
    bundle, path = absent.bundle, discriminator_path(absent.bundle)
    if not path.exists():
        advice = f"copy {parsing.printable(path.name)} from its run folder too, or give the run folder"
        raise DataError(f"{parsing.printable(bundle)}: its discriminator is needed here and is not beside it; {advice}")
    with _open_bundle(path) as (file, size):
        header = _read_header(file, size)
        if header.part != "discriminator":
            raise DataError("expected the discriminator of a model, found a model")
        if header.card.pop(OF) != absent.digest:
            advice = "copy both files from one run, or let an unfinished run save both again: ganvas resume RUN"
            raise DataError(f"it belongs to another save than {parsing.printable(bundle.name)} beside it; {advice}")
        found = _read_game(file, size, header)
        if type(found) is not type(game) or to_dict(found.config) != to_dict(game.config):
            raise DataError(f"its recipe is not that of {parsing.printable(bundle.name)} beside it; use another copy")
    device = placement.device_of(game)
    for name in game.kept_apart:
        setattr(game, name, getattr(found, name).eval().to(device))


def lacks_discriminator_file(game: Game) -> bool:
    """Whether a loaded game has no discriminator, and its file is not beside the bundle either."""
    absent = _find_absent(game)
    return absent is not None and not discriminator_path(absent.bundle).exists()


def _find_absent(game: Game) -> Absent | None:
    """One of the networks that were not loaded; None: the game has them all."""
    return next((network for name in game.kept_apart if isinstance(network := getattr(game, name), Absent)), None)


def _find_non_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of the tensors with NaN or infinity."""
    return [name for name, t in tensors.items() if t.is_floating_point() and not bool(t.isfinite().all())]


def read_card(path: Path) -> dict[str, Any]:
    """The card alone, without reading the weights. Raises: DataError: not a bundle."""
    with _open_bundle(find_model(path)) as (file, size):
        return _restore_path(_read_model_header(file, size).card, Path(file.name).parent)


@contextmanager
def _open_bundle(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size. Every error while it is open names it. Raises: DataError."""
    path_text = parsing.printable(path)
    if path.is_dir():
        path = path / NAME
        if not path.exists():
            raise DataError(f"{path_text} is a folder without {NAME}; give a bundle, or a run that has saved one")
        path_text = parsing.printable(path)
    try:
        with files.open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            yield file, size
    except (GanvasError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        if isinstance(error, FileNotFoundError) and len(path.parts) == 1:
            reason = f"{reason}, and {explain_absence(path.name)}"
        raise DataError(f"{path_text}: {parsing.printable(reason)}") from error


@dataclass(frozen=True)
class _Header:
    """What a file says of itself before its weights are read."""

    layout: safetensors_header.Layout
    card: dict[str, Any]
    digest: str | None  # None: an older version saved it, without a hash
    part: Part


def _read_header(file: BinaryIO, size: int) -> _Header:
    """Raises: DataError: not a bundle."""
    layout, metadata = safetensors_header.read_header(file, size)
    numbers = [match[1] for key in metadata if (match := re.fullmatch(r"ganvas-([0-9]{1,9})", key))]
    if newer := [number for number in numbers if int(number) > NEWEST]:
        raise DataError(f"its format is ganvas-{newer[0]}, and this version reads up to {SPLIT}; install a newer ganvas")
    key = SPLIT if SPLIT in metadata else FORMAT
    if key not in metadata:
        found = metadata.get("format", "none")
        raise DataError(f"a safetensors file, but no ganvas bundle: expected format {FORMAT!r}, found {found!r}")
    card = parsing.parse_json(metadata[key], "the card")
    digest = file_hash.remove(card)
    if key == FORMAT:
        return _Header(layout, card, digest, "whole")
    if digest is None:  # this format has always had one: its name is damaged
        raise DataError(file_hash.DAMAGED)
    return _Header(layout, card, digest, "discriminator" if OF in card else "model")


def _read_model_header(file: BinaryIO, size: int) -> _Header:
    """Raises: DataError: not a bundle, or only the discriminator of one."""
    header = _read_header(file, size)
    if header.part == "discriminator":
        raise DataError("it holds only the discriminator of a model; give the file of the model, or its run folder")
    return header


def _read_game(file: BinaryIO, size: int, header: _Header, tell: Callable[[str], None] = _log_word) -> Game:
    """The game with the weights of the file, all of it checked. Networks that the file does not hold have no memory.

    Raises:
        DataError: damaged, not finite, or not the weights that its recipe asks for.
    """
    make, config = read_recipe(header.card)
    layout = rename_weights(make, header.layout)
    draft = make_draft(make, config, header.part, layout, size)
    compare_layouts(draft.layout, layout)
    file.seek(0)
    data = file.read(size)
    if not file_hash.check(data, header.digest):
        name = parsing.printable(file.name)
        tell(f"{name}: saved by an older version, without a hash: damaged weights are not noticed")
    try:
        tensors = rename_weights(make, safetensors.torch.load(data))
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise DataError(f"its tensors cannot be read: {error}") from None
    if bad := _find_non_finite(tensors):
        raise DataError(f"{len(bad)} weights hold NaN or infinity ({list_few(bad)}); use an earlier copy of the file")
    return assemble(draft, tensors)


def _restore_path(card: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The card with the path of the user's data, of which it holds the last part only, where its run folder still has it."""
    with suppress(OSError, DataError, TypeError, KeyError), files.open_regular(folder / "recipe.json") as file:
        source = parsing.parse_json(file.read(1 << 20), "recipe.json")["data"]["source"]
        if isinstance(source, str) and shorten_path(source) == card["recipe"]["data"]["source"]:
            card["recipe"]["data"]["source"] = source
    return card

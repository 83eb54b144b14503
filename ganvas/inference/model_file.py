"""The bundle: one .safetensors file with the weights of a game, and a card in JSON with its recipe.

The card's `recipe` names the game and holds its config; the name is looked up in GAMES. No pickle, and a file never names
code to import. A file is checked before memory is allocated for it: the header against the size of the
file, then the game, built without memory (meta device), against the header.

The card also holds a SHA-256 of the whole file (`file_hash.py`), so that damage is found. A file of an older version has none.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganvas import games
from ganvas.core.game import Game
from ganvas.data.open import shorten_path
from ganvas.errors import DataError, DivergedError, GanvasError, UsageError, unknown_name
from ganvas.inference import file_hash
from ganvas.utils import files, parsing, safetensors_header
from ganvas.utils.settings import from_dict, rename_keys, to_dict

FORMAT = "ganvas-1"  # a key of the file's metadata; its number rises only when older versions would misread a file
NEWEST = 1
NAME = "model.safetensors"  # in a run folder
LARGEST = 1 << 26  # of a number in a config: sizes and counts beyond it only serve to exhaust memory
Maker = Callable[[Any], Game]


def save(path: Path, game: Game, card: Mapping[str, Any]) -> None:
    """Write the weights and buffers of `game` with `card`, atomically and durably. Nothing is written that `load` would refuse.

    Raises:
        DivergedError: a weight is NaN or infinite.
        UsageError: `card` is not JSON, or its recipe rebuilds another game than `game`.
        ResourceError: the disk refused; an older file at `path` is untouched.
    """
    state = game.state_dict()
    if bad := _find_non_finite(state):
        raise DivergedError(f"not saved: {len(bad)} weights hold NaN or infinity ({', '.join(bad[:3])})")
    try:
        # Copies: the format knows neither strides nor weights that networks share.
        dense = {name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in state.items()}
        # One key only: safetensors writes several in any order, and equal models should be equal files.
        data = file_hash.fill(safetensors.torch.save(dense, {FORMAT: json.dumps(file_hash.reserve(card))}))
        layout, kept, _ = _read_header(BytesIO(data), len(data))
        make, config = _recipe(kept)
        _compare(_layout_of(make, config, layout, len(data)), layout)
    except (DataError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{parsing.printable(path)} not saved: {parsing.printable(error)}") from None
    if make is not type(game) or to_dict(config) != to_dict(game.config):
        raise UsageError(f"{parsing.printable(path)} not saved: the card's recipe is not that of this {type(game).__name__}")
    files.write_durably(path, data)


def _log_word(word: str) -> None:
    logging.getLogger(__name__).warning("%s", word)


def load(
    path: Path, device: torch.device | str = "cpu", tell: Callable[[str], None] = _log_word
) -> tuple[Game, dict[str, Any]]:
    """The game, rebuilt with its weights on `device` in eval mode, and its card. `path` is a bundle or a run folder.

    The random state is left as it was. `tell` gets a message if the file is of an older version, which stored no hash.

    Raises:
        DataError: not a bundle, damaged, with weights that are not finite, or not what this version's game of that name
            looks like.
    """
    with _open_bundle(path) as (file, size):
        layout, card, written = _read_header(file, size)
        card = _restore_path(card, Path(file.name).parent)
        make, config = _recipe(card)
        layout = _rename_weights(make, layout)
        _compare(_layout_of(make, config, layout, size), layout)
        file.seek(0)
        data = file.read(size)
        if not file_hash.check(data, written):
            tell(f"{parsing.printable(path)}: saved by an older version, without a hash: damaged weights are not noticed")
        try:
            tensors = _rename_weights(make, safetensors.torch.load(data))
        except (SafetensorError, ValueError, RuntimeError) as error:
            raise DataError(f"its tensors cannot be read: {error}") from None
        if bad := _find_non_finite(tensors):
            raise DataError(f"{len(bad)} weights hold NaN or infinity ({_few(bad)}); use an earlier copy of the file")
    with torch.random.fork_rng(devices=[]):
        game = make(config)
    game.load_state_dict(tensors)
    return game.eval().to(device), card


def _find_non_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of the tensors with NaN or infinity."""
    return [name for name, t in tensors.items() if t.is_floating_point() and not bool(t.isfinite().all())]


def read_card(path: Path) -> dict[str, Any]:
    """The card alone, without reading the weights. Raises: DataError: not a bundle."""
    with _open_bundle(path) as (file, size):
        return _restore_path(_read_header(file, size)[1], Path(file.name).parent)


@contextmanager
def _open_bundle(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size. Every error while it is open names it. Raises: DataError."""
    path_text = parsing.printable(path)
    if path.is_dir():
        path = path / NAME
        if not path.exists():
            raise DataError(f"{path_text} is a folder without {NAME}; give a bundle, or a run that has saved one")
    try:
        with files.open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            yield file, size
    except (GanvasError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path_text}: {parsing.printable(reason)}") from error


def _read_header(file: BinaryIO, size: int) -> tuple[safetensors_header.Layout, dict[str, Any], str | None]:
    """Layout, card and hash. Raises: DataError: not a bundle."""
    layout, metadata = safetensors_header.read_header(file, size)
    numbers = [match[1] for key in metadata if (match := re.fullmatch(r"ganvas-([0-9]{1,9})", key))]
    if newer := [number for number in numbers if int(number) > NEWEST]:
        raise DataError(f"its format is ganvas-{newer[0]}, and this version reads up to {FORMAT}; install a newer ganvas")
    if FORMAT not in metadata:
        found = metadata.get("format", "none")
        raise DataError(f"a safetensors file, but no ganvas bundle: expected format {FORMAT!r}, found {found!r}")
    card = parsing.parse_json(metadata[FORMAT], "the card")
    written = file_hash.remove(card)
    return layout, card, written


def _restore_path(card: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The card with the path of the user's data, of which it holds the last part only, where its run folder still has it."""
    with suppress(OSError, DataError, TypeError, KeyError), files.open_regular(folder / "recipe.json") as file:
        source = parsing.parse_json(file.read(1 << 20), "recipe.json")["data"]["source"]
        if isinstance(source, str) and shorten_path(source) == card["recipe"]["data"]["source"]:
            card["recipe"]["data"]["source"] = source
    return card


def _recipe(card: Mapping[str, Any]) -> tuple[Maker, Any]:
    """The card's game class and config. Raises: DataError: unknown, malformed or absurd."""
    recipe = card.get("recipe")
    name, values = (recipe.get("game"), recipe.get("config")) if isinstance(recipe, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(values, dict):
        raise DataError("its card has no recipe with a game's name and config")
    if name not in games.GAMES:
        raise DataError(str(unknown_name("game", parsing.printable(name, 100), games.GAMES)))
    pending: list[Any] = [values]
    while pending:
        value = pending.pop()
        if isinstance(value, (dict, list)):
            pending.extend(value.values() if isinstance(value, dict) else value)
        elif isinstance(value, (int, float)) and not abs(value) <= LARGEST:
            raise DataError(f"its config holds the number {parsing.printable(value, 40)}; at most {LARGEST:,} is sensible")
    try:
        return games.GAMES[name], from_dict(games.GAMES[name].config_type, values)
    except Exception as error:  # a config's own checks may raise anything on hostile values
        raise DataError(f"its config does not fit the game {name!r}: {error}") from None


def _rename_weights(make: Maker, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights under the names of this version: a game's `renamed_weights` maps names, or their beginnings, to new ones."""
    return rename_keys(weights, getattr(make, "renamed_weights", {}), "weight ")


def _layout_of(make: Maker, config: Any, claimed: safetensors_header.Layout, size: int) -> safetensors_header.Layout:
    """The weights that `config` asks for, without their memory. Raises: DataError: none, or out of proportion to the file."""
    try:
        with torch.device("meta"), _Budget(calls=2_000 + 100 * len(claimed), size=(64 << 20) + 16 * size):
            weights = make(config).state_dict()
    except DataError:
        raise
    except Exception as error:  # a constructor may raise anything on hostile values
        raise DataError(f"its config builds no game: {error}") from None
    return {name: (str(t.dtype).removeprefix("torch."), tuple(t.shape)) for name, t in weights.items()}


class _Budget(TorchFunctionMode):
    """Bounds what a constructor asks of torch, so that a small file cannot demand a large or endless network.

    This counts the buffers that are rebuilt instead of stored, which no comparison with the header would see.
    """

    def __init__(self, calls: int, size: int) -> None:
        super().__init__()
        self.calls, self.size = calls, size

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls -= 1
        if func.__name__ == "normal_":  # nothing to fill, and on the meta device torch would import its compiler for it
            return args[0] if args else kwargs["tensor"]
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not func.__name__.endswith("_"):  # in place, or a getter: no new memory
            self.size -= result.nbytes
        if self.calls < 0 or self.size < 0:
            raise DataError("its config asks for a far larger network than the file holds")
        return result


def _compare(expected: safetensors_header.Layout, found: safetensors_header.Layout) -> None:
    """Raises: DataError: names, shapes or dtypes differ."""
    for problem, names in (("missing", expected.keys() - found.keys()), ("unexpected", found.keys() - expected.keys())):
        if names:
            raise DataError(f"{len(names)} weights {problem}: {_few(names)}")
    for name, (dtype, shape) in expected.items():
        if found[name] != (dtype, shape):
            raise DataError(f"{name}: expected {dtype} {list(shape)}, found {found[name][0]} {list(found[name][1])}")


def _few(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(parsing.printable(name, 60) for name in ordered[:3]) + (", ..." if len(ordered) > 3 else "")

"""The weights that the recipe of a bundle's card asks for, found without allocating memory for them.

A file names no code: the card's `recipe` names a game, which is looked up in GAMES, and holds its config. The game is built on
the meta device, within a budget, and its weights are compared with the header of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganvas import games
from ganvas.core.game import Game
from ganvas.errors import DataError, unknown_name
from ganvas.utils import parsing
from ganvas.utils.safetensors_header import Layout
from ganvas.utils.settings import from_dict, rename_keys

TOO_LARGE = "its config asks for a far larger network than the file holds"
LARGEST = 1 << 26  # of a number in a config: sizes and counts beyond it only serve to exhaust memory
SMALLER = {"float32": "float16"}  # how a weight may be stored: dtype of the game -> of the file
Maker = type[Game]
Part = Literal["whole", "model", "discriminator"]  # all weights; those to use the model; those of `Game.kept_apart`


def read_recipe(card: Mapping[str, Any]) -> tuple[Maker, Any]:
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


def rename_weights(make: Maker, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights under the names of this version: a game's `renamed_weights` maps names, or their beginnings, to new ones."""
    return rename_keys(weights, getattr(make, "renamed_weights", {}), "weight ")


def select(make: Maker, weights: Mapping[str, Any], part: Part) -> dict[str, Any]:
    """Those of the weights of a whole game, by name, that a file with this part of it holds."""
    apart = tuple(f"{name}." for name in make.kept_apart)
    return {name: w for name, w in weights.items() if part == "whole" or name.startswith(apart) == (part == "discriminator")}


@dataclass(frozen=True)
class Draft:
    """A game that was built without memory (meta device), to compare it with a file before anything is allocated."""

    game: Game
    part: Part

    @cached_property
    def rebuilt(self) -> bool:
        """Whether the game must be built anew, with memory for all of its networks, to get its weights.

        So it is if networks share a weight, or hold tensors that are no weights, and so are in no file.
        """
        game, names = self.game, self.game.state_dict().keys()
        loose = any(isinstance(value, Tensor) for module in game.modules() for value in vars(module).values())
        held = [*game.named_parameters(remove_duplicate=False), *game.named_buffers(remove_duplicate=False)]
        shared = len({id(tensor) for _, tensor in held}) < len(held)
        return self.part == "whole" or loose or shared or {name for name, _ in held} != names

    @property
    def layout(self) -> Layout:
        """The weights of this part: name -> dtype, shape."""
        weights = select(type(self.game), self.game.state_dict(), self.part)
        return {name: (str(t.dtype).removeprefix("torch."), tuple(t.shape)) for name, t in weights.items()}


def make_draft(make: Maker, config: Any, part: Part, claimed: Layout, size: int) -> Draft:
    """The game of `config` for a file of `size` bytes that claims these weights.

    The networks that a part lacks may be of any size, because they get no memory (`assemble`).

    Raises:
        DataError: the config builds no game, or one out of proportion to the file.
    """
    limit = (64 << 20) + 16 * size
    try:
        with torch.device("meta"), _Budget(2_000 + 100 * len(claimed), None if part != "whole" else limit) as budget:
            draft = Draft(make(config), part)
        if draft.rebuilt and budget.bytes > limit:
            raise DataError(TOO_LARGE)
        return draft
    except DataError:
        raise
    except Exception as error:  # a constructor may raise anything on hostile values
        raise DataError(f"its config builds no game: {error}") from None


def assemble(draft: Draft, tensors: Mapping[str, Tensor]) -> Game:
    """The game with these weights; networks that its part lacks may have no memory. The random state is left as it was."""
    game, make = draft.game, type(draft.game)
    tensors = {name: t.to(getattr(torch, draft.layout[name][0])) for name, t in tensors.items()}
    if not draft.rebuilt:
        # Copies: in the buffer of the file a tensor may start at any byte, and such a one is computed in another order.
        game.load_state_dict({name: t.clone() for name, t in tensors.items()}, strict=False, assign=True)
        return game
    with torch.random.fork_rng(devices=[]):
        game = make(game.config)
    game.load_state_dict({**game.state_dict(), **tensors})
    return game


class _Budget(TorchFunctionMode):
    """Bounds what a constructor asks of torch, so that a small file cannot demand a large or endless network.

    This counts the buffers that are rebuilt instead of stored, which no comparison with the header would see.
    """

    def __init__(self, calls: int, size: int | None) -> None:
        super().__init__()
        self.calls, self.size, self.bytes = calls, size, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls -= 1
        if func.__name__ == "normal_":  # nothing to fill, and on the meta device torch would import its compiler for it
            return args[0] if args else kwargs["tensor"]
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not func.__name__.endswith("_"):  # in place, or a getter: no new memory
            self.bytes += result.nbytes
        if self.calls < 0 or (self.size is not None and self.bytes > self.size):
            raise DataError(TOO_LARGE)
        return result


def compare_layouts(expected: Layout, found: Layout) -> None:
    """Numbers of 32 bits may be stored in 16. Raises: DataError: names, shapes or dtypes differ."""
    for problem, names in (("missing", expected.keys() - found.keys()), ("unexpected", found.keys() - expected.keys())):
        if names:
            raise DataError(f"{len(names)} weights {problem}: {list_few(names)}")
    for name, (dtype, shape) in expected.items():
        if found[name] not in ((dtype, shape), (SMALLER.get(dtype), shape)):
            raise DataError(f"{name}: expected {dtype} {list(shape)}, found {found[name][0]} {list(found[name][1])}")


def list_few(names: Iterable[str]) -> str:
    """The first three of many names."""
    ordered = sorted(names)
    return ", ".join(parsing.printable(name, 60) for name in ordered[:3]) + (", ..." if len(ordered) > 3 else "")

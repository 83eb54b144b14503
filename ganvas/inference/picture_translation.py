"""Translate, paint or enlarge one picture of any size: grey or color, with or without transparency, of 8 or 16 bits.

Transparent pixels are shown to the network on white, as in the training. What comes back is mixed with what the network makes
of plain white, in the same shares; this is undone, and the result has the transparency of the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from ganvas.core.capabilities import TakesInputs, Translates, Upscales
from ganvas.core.fields import FIELDS
from ganvas.core.modality import IMAGES, LABEL_MAPS, UNKNOWN, Batch
from ganvas.data.computed_pairs import GREY
from ganvas.errors import UsageError, unknown_name
from ganvas.inference.inputs import split_direction, weaken
from ganvas.inference.tiles import SIDE, Progress, compute_any_size
from ganvas.inference.transparency import enlarge_alpha, mix_with, split_alpha, unmix
from ganvas.latents.seed_latents import SEEDS, latents
from ganvas.runtime import placement
from ganvas.utils.parsing import printable, require_count, require_number, require_whole

Array = npt.NDArray[Any]
MOST_PAINTED = 1_024  # pixels of a side of a painted map
WHITE_SIDE = 64  # pixels of the plain picture that shows what a network makes of white


class HasGame(Protocol):
    """A loaded model."""

    @property
    def game(self) -> Any: ...

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Way:
    """What is made of a picture: a direction of a translation, or an enlargement."""

    game: TakesInputs
    direction: str  # "a>b"; "" of an enlargement
    source: str  # what the user calls the input: "flat"
    target: str  # and the output: "shaded"; of an enlargement "x2"

    @property
    def about(self) -> str:
        """The direction in words, for files and messages: "flat > shaded"."""
        return f"{self.source} > {self.target}" if self.direction else self.target

    @property
    def scale(self) -> int:
        """How many times larger the output is."""
        return self.game.scale if isinstance(self.game, Upscales) else 1

    @property
    def of_maps(self) -> bool:
        """Whether the input is a label map."""
        return bool(self.direction) and FIELDS[self.field].modalities == (LABEL_MAPS,)

    @property
    def field(self) -> str:
        """The batch field of the input."""
        return split_direction(self.direction)[0] or "low"

    def compute(self, batch: Batch, z: Tensor | None, strength: float = 1.0) -> Tensor:
        """The output [N, ...] for inputs as networks take them, of which `strength` is made."""
        game = self.game
        if isinstance(game, Upscales):
            return game.upscale(batch[self.field], strength)
        return weaken(batch[self.field], game.translate(batch, self.direction, z), strength)  # type: ignore[attr-defined]

    def reverse(self) -> Way | None:
        """The way back, if there is one."""
        source, target = split_direction(self.direction)
        back = f"{target}>{source}"
        if not isinstance(self.game, Translates) or back not in self.game.directions:
            return None
        return Way(self.game, back, self.target, self.source)


def list_ways(game: Any) -> list[Way]:
    """Everything that the game makes of one picture."""
    ways = []
    if isinstance(game, Translates):
        for direction in game.directions:
            source, target = split_direction(direction)
            ways.append(Way(game, direction, game.names.get(source, source), game.names.get(target, target)))
    if isinstance(game, Upscales):
        ways.append(Way(game, "", "", f"x{game.scale}"))
    return ways


def find_way(model: HasGame, to: str | None) -> Way:
    """The way to `to`: the name of a domain, a field, or a direction such as "a>b"; None: the only one.

    Raises:
        UsageError: the game neither translates nor enlarges, there are several ways and `to` is None, or none has this name.
    """
    ways = list_ways(model.game)
    if not ways:
        raise UsageError(f"{model.name} does not translate pictures; choose a model of a game that does")
    if to is None:
        if len(ways) == 1:
            return ways[0]
        targets = " or ".join(way.target for way in ways)
        raise UsageError(f"{model.name} has several directions: choose one with --to (in Python: to=) {targets}")
    if not isinstance(to, str):
        raise UsageError(f"to: expected the name of an output, such as {ways[0].target!r}, got {to!r}")
    wanted = to.strip().replace(" ", "").casefold()
    for spell in (lambda way: way.target, lambda way: way.about, lambda way: way.direction, _target_field):
        for way in ways:
            if wanted and spell(way).replace(" ", "").casefold() == wanted:
                return way
    if len(ways) == 1 and wanted in (ways[0].source.casefold(), split_direction(ways[0].direction)[0]):
        raise UsageError(f"{model.name} has one direction, {ways[0].about}, and no way back; leave --to out")
    if ">" in wanted:
        raise unknown_name("direction", printable(to), [way.about for way in ways])
    raise unknown_name("output", printable(to), [way.target for way in ways])


def translate_one(
    model: HasGame,
    picture: Array,
    to: str | None = None,
    *,
    strength: float = 1.0,
    seed: int = 0,
    tile: int = SIDE,
    tileable: bool = False,
    progress: Progress | None = None,
) -> Array:
    """A picture uint8 or uint16 [H, W] or [H, W, C] -> [H, W, C] of its type, or [scale H, scale W, C] of an enlargement.

    C is 1 or 3, or 2 or 4 with transparency, which is kept. Grey stays grey if the game keeps it. `to`: see `find_way`.
    `strength` from 0 to 1: of an enlargement how much detail is made up, else how much of the change is made. `tileable`: the
    picture continues at its opposite sides, and so does the result. `progress` gets the tiles that are done and their number.

    Raises:
        UsageError: see `find_way`; another type or shape; a strength out of range; too large a picture; `tileable` for a game
            that looks at the whole picture.
    """
    way = find_way(model, to)
    return translate_along(way, picture, strength=strength, seed=seed, tile=tile, tileable=tileable, progress=progress)


def translate_along(
    way: Way,
    picture: Array,
    *,
    strength: float = 1.0,
    seed: int = 0,
    tile: int = SIDE,
    tileable: bool = False,
    progress: Progress | None = None,
) -> Array:
    """As `translate_one`, for a way that is known."""
    require_strength(strength)
    require_count("seed", seed, 0, SEEDS - 1)
    if way.of_maps:
        raise UsageError(f"this model makes its pictures from label maps ({way.about}); use ganvas paint, or Model.paint")
    given = _check_picture(picture)
    if tileable:
        margin, (height, width) = require_margin(way), given.shape[:2]
        wrapped = np.pad(given, ((margin, margin), (margin, margin), (0, 0)), "wrap")
        made = translate_along(way, wrapped, strength=strength, seed=seed, tile=tile, progress=progress)
        top = margin * way.scale
        return np.ascontiguousarray(made[top : top + height * way.scale, top : top + width * way.scale])
    colors, alpha = split_alpha(given)
    if alpha is None:
        return _compute(way, colors, strength, seed, tile, progress)
    top = int(np.iinfo(colors.dtype).max)
    mixed = _compute(way, mix_with(colors, alpha, float(top)), strength, seed, tile, progress)
    alpha = enlarge_alpha(alpha, way.scale)
    partly = (alpha > 0) & (alpha < top)
    if partly.any():
        plain = np.full((WHITE_SIDE, WHITE_SIDE, colors.shape[2]), top, colors.dtype)
        white = np.median(_compute(way, plain, strength, seed, tile, None), axis=(0, 1)).astype(np.float32)
        mixed = np.where(partly, unmix(mixed, alpha, white), mixed)
    return np.concatenate([mixed, alpha], 2)


def require_strength(strength: float) -> None:
    """Raises: UsageError: it is no number from 0 to 1."""
    require_number("strength", strength)
    if not 0 <= strength <= 1:
        raise UsageError(f"strength: expected a number from 0 to 1, got {strength}")


def require_margin(way: Way) -> int:
    """The pixels around a picture that a network sees from inside. Raises: UsageError: it always looks at the whole picture."""
    if way.game.reach is None:
        raise UsageError("tileable: this model looks at the whole picture, so its borders cannot join; leave it out")
    return -(-way.game.reach // way.game.multiple) * way.game.multiple


def paint_one(model: HasGame, ids: Array, *, seed: int = 0, side: int | None = None) -> Array:
    """A label map uint8 [H, W] -> a picture uint8 [H, W, C] that noise of `seed` chooses among those that fit; 255: not known.

    `side` pixels of the longer side: the map is resized to it by nearest neighbor; None: as it is.

    Raises:
        UsageError: the game does not paint maps; another type or shape; a number that is no class; too large a map.
    """
    way = next((way for way in list_ways(model.game) if way.of_maps), None)
    if way is None:
        raise UsageError(f"{model.name} does not paint label maps; choose a model of a spade recipe")
    require_count("seed", seed, 0, SEEDS - 1)
    given = np.asarray(ids)
    if given.dtype != np.uint8 or given.ndim != 2 or not given.size:
        raise UsageError(
            f"map: expected uint8 [H, W], found {given.dtype} {list(given.shape)}; give the number of a class for each pixel"
        )
    classes = int(model.game.config.classes)
    if strange := [int(i) for i in np.unique(given) if i >= classes and i != UNKNOWN]:
        raise UsageError(
            f"map: expected classes from 0 to {classes - 1}, or {UNKNOWN} for not known, found {strange[0]}; correct it"
        )
    if side is not None:
        given = resize_map(given, side)
    if max(given.shape) > MOST_PAINTED:
        found = f"{given.shape[1]} x {given.shape[0]}"
        raise UsageError(
            f"map: expected at most {MOST_PAINTED} pixels a side, found {found}; choose a smaller --side (in Python: side=)"
        )
    z = _noise(way.game, seed)
    return _to_picture(compute_any_size(way.game, lambda batch: way.compute(batch, z), {way.field: given[None]}))


def resize_map(ids: Array, side: int) -> Array:
    """A label map uint8 [H, W] with a longer side of `side` pixels, by nearest neighbor: no class is made up.

    Raises:
        UsageError: a side that is no number from 1 to 1,024.
    """
    require_whole("side", side)
    if not 1 <= side <= MOST_PAINTED:
        raise UsageError(f"side: expected 1 to {MOST_PAINTED} pixels, got {side}")
    height, width = ids.shape
    longer = max(height, width)
    size = (max(1, round(width * side / longer)), max(1, round(height * side / longer)))
    return np.asarray(Image.fromarray(ids).resize(size, Image.Resampling.NEAREST))


def input_channels(game: Any, field: str) -> int | None:
    """How many channels the game takes pictures of a field with; None: not known."""
    names = ("source_channels", "channels") if field == "source" else ("channels",)
    return next((int(getattr(game.config, name)) for name in names if hasattr(game.config, name)), None)


def fit_channels(picture: Array, channels: int | None) -> Array:
    """[..., C] with 1 or 3 channels -> with `channels`: grey in every channel, or the brightness of a color."""
    if channels is None or picture.shape[-1] == channels:
        return picture
    if picture.shape[-1] == 1:
        return np.repeat(picture, channels, -1)
    if channels == 1 and picture.shape[-1] == 3:
        return np.rint(picture.astype(np.float32) @ np.array(GREY, np.float32)).astype(picture.dtype)[..., None]
    raise UsageError(f"picture: expected {channels} channels, found {picture.shape[-1]}; convert it")


def _compute(way: Way, colors: Array, strength: float, seed: int, tile: int, progress: Progress | None) -> Array:
    """[H, W, 1 or 3] -> [scale H, scale W, C]."""
    game, field = way.game, way.field
    stays_grey = colors.shape[2] == 1 and game.keeps_grey
    given = fit_channels(colors, input_channels(game, field))
    z = _noise(game, seed)

    def compute(batch: Batch) -> Tensor:
        y = way.compute(batch, z, strength)
        return y.mean(1, keepdim=True) if stays_grey and y.ndim == IMAGES.ndim else y

    planes = np.ascontiguousarray(given.transpose(2, 0, 1))[None]
    return _to_picture(compute_any_size(game, compute, {field: planes}, scale=way.scale, side=tile, progress=progress))


def _noise(game: TakesInputs, seed: int) -> Tensor | None:
    return latents([seed], game.noise_dim).to(placement.device_of(game)) if game.noise_dim else None


def _to_picture(planes: Array) -> Array:
    """[1, C, H, W] or, of a label map, [1, H, W] -> [H, W, C]."""
    return np.ascontiguousarray(planes[0].transpose(1, 2, 0)) if planes.ndim == IMAGES.ndim else planes[0][..., None]


def _target_field(way: Way) -> str:
    return split_direction(way.direction)[1]


def _check_picture(picture: Array) -> Array:
    given = np.asarray(picture)
    given = given[..., None] if given.ndim == 2 else given
    if given.dtype not in (np.uint8, np.uint16) or given.ndim != 3 or not 1 <= given.shape[2] <= 4 or not given.size:
        raise UsageError(f"picture: expected uint8 [H, W, C] with 1 to 4 channels, found {given.dtype} {list(given.shape)}")
    return given

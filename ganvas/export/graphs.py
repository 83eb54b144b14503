"""What of a model is exported: its inputs by name, its output, and a module that computes the output from the inputs.

Everything that may differ between two samples is an input: the noise z, the class, the pictures. What the model does not vary
is part of the file, such as the noise of the layers of a StyleGAN, which is its constant one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.capabilities import Animates, Classifies, Conditional, Inpaints, Samples, Styled, Upscales, Writes
from ganvas.core.modality import UNKNOWN
from ganvas.data.masks import masks_of_seeds
from ganvas.errors import UsageError
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.picture_translation import Way, find_way, input_channels, list_ways, require_strength
from ganvas.latents.seed_latents import latents

InputKind = Literal["noise", "class", "picture", "map", "mask", "shift", "psi"]
OutputKind = Literal["pictures", "voxels", "points", "text", "logits"]
COARSE = 4  # blocks of a side of a drawn test picture
MOST_SIDE = 1_024  # pixels
WORDS = {"source": "a picture", "real": "a picture", "map": "a map of classes"}  # of fields without a name of the user


@dataclass(frozen=True)
class Input:
    """One input of the file. `shape` is that of one sample: () of a class and of psi."""

    name: str
    kind: InputKind
    shape: tuple[int, ...] = ()
    classes: int = 0  # of a class and of a label map: the numbers are 0 .. classes - 1; a map has 255 for "not known" too
    about: str = ""  # one line for whoever uses the file

    def draw(self, seeds: Sequence[int]) -> Tensor:
        """Values [N, *shape] to test with; a seed has the same value in any company."""
        if self.kind == "noise":
            return latents(seeds, self.shape[0])
        if self.kind == "class":
            return torch.tensor([seed % self.classes for seed in seeds])
        if self.kind == "shift":
            return latents(seeds, self.shape[0]) / 10
        if self.kind == "psi":
            return torch.tensor([1 - seed % 4 / 4 for seed in seeds])
        if len(self.shape) == 1:
            return latents(seeds, self.shape[0])
        if self.kind == "mask":
            return masks_of_seeds(seeds, *self.shape[1:]).float()
        if self.kind == "map":
            return torch.stack([self._draw_map(seed) for seed in seeds])
        return torch.stack([self._draw_picture(seed) for seed in seeds])

    def _draw_picture(self, seed: int) -> Tensor:
        """Smooth colors, or a smooth solid, with some grain, in [-1, 1]."""
        random, sides = torch.Generator().manual_seed(seed), self.shape[1:]
        coarse = torch.rand(1, self.shape[0], *[COARSE] * len(sides), generator=random) * 2 - 1
        smooth = F.interpolate(coarse, sides, mode="bilinear" if len(sides) == 2 else "trilinear", align_corners=False)[0]
        return (0.9 * smooth + 0.1 * (2 * torch.rand(self.shape, generator=random) - 1)).clamp(-1, 1)

    def _draw_map(self, seed: int) -> Tensor:
        """Blocks of classes; the first pixels are not known."""
        random = torch.Generator().manual_seed(seed)
        blocks = torch.randint(0, self.classes, (1, 1, COARSE, COARSE), generator=random)
        ids = F.interpolate(blocks.float(), self.shape, mode="nearest")[0, 0].long()
        ids[:2, :2] = UNKNOWN
        return ids


class Compute(nn.Module):
    """A game, and what is computed with it; the game is a part of it, so that its weights are found."""

    def __init__(self, game: Any, compute: Callable[..., Tensor]) -> None:
        super().__init__()
        self.game, self.compute = game, compute

    def forward(self, *inputs: Tensor) -> Tensor:
        """The inputs in the order of `Graph.inputs` -> the output."""
        return self.compute(*inputs)


@dataclass(frozen=True)
class Graph:
    """One exported function: inputs -> output."""

    module: Compute
    inputs: tuple[Input, ...]
    output: OutputKind
    about: str  # what it computes, in words
    names: tuple[str, ...] = field(default=())  # of the classes of the logits

    def compute(self, *inputs: Tensor) -> Tensor:
        """The output [N, ...] by PyTorch."""
        with torch.no_grad():
            found: Tensor = self.module(*inputs)
        return found


def make_graph(model: LoadedGame, to: str | None = None, *, side: int | None = None, strength: float = 1.0) -> Graph:
    """The graph of a model: noise and class -> samples, a picture -> a picture, or a picture -> logits.

    `to` names one direction of several, as in `ganvas translate`. `side` of pictures that are inputs; None: that of the
    training. `strength` as in `Model.translate`.

    Raises:
        UsageError: the model has several directions and `to` is None, no such direction, or an option that does not fit.
    """
    game, takes_pictures = model.game, not isinstance(model.game, Samples)
    if not takes_pictures and (to is not None or side is not None):
        option = "--to" if to is not None else "--side"
        raise UsageError(f"{model.name} makes its output from noise, not from pictures; leave {option} out")
    if strength != 1 and not list_ways(game):
        raise UsageError(f"{model.name} neither translates nor enlarges; leave --strength out")
    if isinstance(game, Samples):
        return _sampling(model)
    if list_ways(game):
        require_strength(strength)
        return _translation(model, find_way(model, to), side, strength)
    if to is not None:
        raise UsageError(f"{model.name} has no directions; leave --to out")
    if isinstance(game, Inpaints):
        return _inpainting(model, side)
    if isinstance(game, Animates):
        return _animation(model, side)
    if isinstance(game, Classifies):
        return _classification(model, side)
    raise UsageError(f"{model.name} neither generates nor translates nor classifies; choose another model")


def make_page_graph(model: LoadedGame, to: str | None = None, *, side: int | None = None, strength: float = 1.0) -> Graph:
    """The graph of a page: steered if the model samples. Where a model enlarges, the default side of the input is that of the
    outputs of the training, so that there is something to see.
    """
    if isinstance(model.game, Samples):
        make_graph(model, to, side=side, strength=strength)  # refuses what does not fit
        return make_steered_graph(model)
    if isinstance(model.game, Upscales) and side is None:
        side = int(model.game.config.resolution)
    return make_graph(model, to, side=side, strength=strength)


def make_steered_graph(model: LoadedGame) -> Graph:
    """As `make_graph` of a model that samples, with the inputs of the sliders of a page.

    `shift` is added to the code: to z, or to the style w of a StyleGAN; `psi` truncates the style.
    """
    game = model.drawer
    plain = _sampling(model)
    if plain.output in ("text", "points"):  # the sliders move one sample, and here many are shown at once
        return plain
    if not isinstance(game, Styled):
        draw = plain.module.compute
        shift = Input("shift", "shift", (game.latent_dim,), about="added to z")
        return Graph(
            Compute(game, lambda z, shift, *c: draw(z + shift, *c)),
            (plain.inputs[0], shift, *plain.inputs[1:]),
            plain.output,
            plain.about,
        )
    styled: Styled = game

    def synthesize(z: Tensor, shift: Tensor, psi: Tensor, *c: Tensor) -> Tensor:
        w = styled.map(z, c[0] if c else None)
        return styled.synthesize(styled.w_mean + psi[:, None] * (w - styled.w_mean) + shift)

    steering = (
        Input("shift", "shift", (len(styled.w_mean),), about="added to the style w"),
        Input("psi", "psi", about="truncation: 1 as trained, 0 the mean style"),
    )
    return Graph(Compute(game, synthesize), (plain.inputs[0], *steering, *plain.inputs[1:]), plain.output, plain.about)


def _sampling(model: LoadedGame) -> Graph:
    game = model.drawer
    inputs = [
        Input(
            "z",
            "noise",
            (game.latent_dim,),
            about=f"noise; of seed k: torch.randn({game.latent_dim}, generator=torch.Generator().manual_seed(k))",
        )
    ]
    if isinstance(game, Conditional):
        inputs.append(Input("class", "class", classes=game.classes, about="the number of the class"))
    if isinstance(game, Writes):
        writer: Writes = game
        return Graph(Compute(game, lambda z: writer.write(z)), tuple(inputs), "text", "noise to lines of symbols")
    kind: OutputKind = {"points": "points", "voxels": "voxels"}.get(model.modality.name, "pictures")  # type: ignore[assignment]
    units = model.units

    def sample(z: Tensor, c: Tensor | None = None) -> Tensor:
        found = game.sample(z, c)
        return found if units is None else units.restore(found)

    classes = " and a class" if len(inputs) > 1 else ""
    return Graph(Compute(game, sample), tuple(inputs), kind, f"noise{classes} to {kind}")


def _translation(model: LoadedGame, way: Way, side: int | None, strength: float) -> Graph:
    game: Any = model.game
    length = _choose_side(model, side, game.multiple, way.scale)
    if way.of_maps:
        given = Input(way.field, "map", (length, length), int(game.config.classes), "the number of the class of each pixel")
    else:
        channels = input_channels(game, way.field) or 3
        given = Input(way.field, "picture", (channels, length, length), about="a picture in [-1, 1]")
    inputs = [given, *_noise_of(game)]

    def compute(x: Tensor, z: Tensor | None = None) -> Tensor:
        return way.compute({way.field: x}, z, strength)

    about = (
        f"{WORDS.get(way.source, way.source)} to {WORDS.get(way.target, way.target)}"
        if way.direction
        else f"a picture to one {way.scale} times as large"
    )
    return Graph(Compute(game, compute), tuple(inputs), "pictures", about)


def _inpainting(model: LoadedGame, side: int | None) -> Graph:
    game: Any = model.game
    length = _choose_side(model, side, game.multiple)
    inputs = [
        Input("picture", "picture", (int(game.config.channels), length, length), about="a picture in [-1, 1]"),
        Input("mask", "mask", (1, length, length), about="1 where pixels are missing, else 0"),
        *_noise_of(game),
    ]

    def compute(x: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        filled: Tensor = game.inpaint(x * (1 - mask), mask, z)
        return filled

    return Graph(Compute(game, compute), tuple(inputs), "pictures", "a picture with a hole to a whole picture")


def _animation(model: LoadedGame, side: int | None) -> Graph:
    game: Any = model.game
    length = _choose_side(model, side, game.multiple)
    shape = (int(game.config.channels), length, length)
    inputs = (
        Input("source", "picture", shape, about="the picture that is to move, in [-1, 1]"),
        Input("driving", "picture", shape, about="the frame of the clip whose pose it takes"),
        Input("start", "picture", shape, about="the frame of the clip with the pose of the picture"),
    )

    def compute(source: Tensor, driving: Tensor, start: Tensor) -> Tensor:
        frames: Tensor = game.animate(source, driving[:, None], start)
        return frames[:, 0]

    return Graph(Compute(game, compute), inputs, "pictures", "a picture and two frames to a moved picture")


def _classification(model: LoadedGame, side: int | None) -> Graph:
    game: Any = model.game
    if side is not None and side != model.shape[-1]:
        raise UsageError(f"{model.name} takes pictures of {model.shape[-1]} pixels only; leave --side out")
    given = Input("real", "picture", model.shape, about="what is classified, in [-1, 1]")
    names = tuple(model.card["classes"])
    return Graph(Compute(game, lambda x: game.classify(x)), (given,), "logits", "pictures to logits of classes", names)


def _noise_of(game: Any) -> tuple[Input, ...]:
    about = f"noise; of seed k: torch.randn({game.noise_dim}, generator=torch.Generator().manual_seed(k))"
    return (Input("z", "noise", (game.noise_dim,), about=about),) if game.noise_dim else ()


def _choose_side(model: LoadedGame, side: int | None, multiple: int, scale: int = 1) -> int:
    """The side of the input: the one of the training, or another of which the network can take pictures.

    Raises:
        UsageError: not a multiple, or too large.
    """
    if side is None:
        return int(model.game.config.resolution) // scale
    if not 0 < side <= MOST_SIDE or side % multiple:
        raise UsageError(f"side: expected a multiple of {multiple} up to {MOST_SIDE} pixels, got {side}")
    return side

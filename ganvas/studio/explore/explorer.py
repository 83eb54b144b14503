"""Explore a trained model: one image, a plane of seeds, interpolations, the nearest training images."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from ganvas.core.capabilities import Conditional, Couples, Encodes, Grows, Projects, Styled
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS, modality_of
from ganvas.data.table import TableDataset
from ganvas.editing.named_directions import Direction, directions, separable_classes
from ganvas.errors import UsageError
from ganvas.evaluation.sample_sets import read_rows
from ganvas.games.recipes import open_samples, parse_recipe
from ganvas.inference.batches import as_pictures, encode_chunks
from ganvas.inference.model import Model, load
from ganvas.latents.seed_latents import SEEDS
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import save_png, to_bytes
from ganvas.media.video import film_name, save_film
from ganvas.media.voxel_rendering import shade
from ganvas.metrics.nearest_neighbours import k_nearest
from ganvas.studio.explore.view import Point, View, draw, find_noise_inputs, point, tour

EXACT = 32  # rows at a time: the bits of `ganvas sample`
CLOUD, LINES = 500, 24  # points of a model of points, lines of one of text
NEAREST = 5
PAGE_KINDS = {TEXT: "text", POINTS: "points", IMAGES: "pictures", VOXELS: "solids"}  # kind -> the word of the page
MOST_FRAMES, MOST_SEEDS = 240, 64
OFFERED = 6  # directions of each kind
PLANE_REACH = 2  # quarter turns from the middle of the plane to its edge


class Explorer:
    """A loaded model, and the functions of the page /explore."""

    def __init__(self, path: str | Path, device: str | torch.device = "auto") -> None:
        self.model: Model = load(path, device)
        self.steps: dict[str, Tensor] = {}  # direction -> one standard deviation along it [d]

    def abilities(self) -> dict[str, Any]:
        """What the model is and can do, by the capabilities of its game: the page shows the controls that fit.

        Raises:
            UsageError: it does not generate anything.
        """
        game, card = self.model.drawer, self.model.card
        return {
            "recipe": card["recipe"]["name"],
            "game": card["recipe"]["game"],
            "items": card["items"],
            "model": self.model.identity,
            "kind": PAGE_KINDS[self.model.modality],
            "shape": list(self.model.shape),
            "latent_dim": game.latent_dim,
            "classes": list(card["classes"]) if isinstance(game, Conditional) else [],
            "couples": isinstance(game, Couples),
            "styles": game.styles if isinstance(game, Styled) else 0,
            "noise": bool(find_noise_inputs(game)),
            "resolutions": list(game.resolutions) if isinstance(game, Grows) else [],
            "encodes": isinstance(game, Encodes),
            "truncates": not isinstance(game, Styled),
            "directions": self.list_directions() if self.has_images else [],
            "between": separable_classes(self.model) if self.model.modality is IMAGES else [],
        }

    @property
    def has_images(self) -> bool:
        """Whether a sample is a picture: an image, or voxels in a view."""
        return self.model.modality.grid

    def list_directions(self) -> list[str]:
        """The directions that make sense in this model, the strongest first of each kind."""
        game = self.model.drawer
        kinds = ["pca", "sefa"] if isinstance(game, Styled) else ["sefa"] if isinstance(game, Projects) else ["axis"]
        return [f"{kind}:{i}" for kind in kinds for i in range(min(OFFERED, game.latent_dim))]

    def point(self, look: View) -> Point:
        """The latent of the look. Raises: UsageError: the model does not have what it asks for."""
        for name in look.moves:
            if name not in self.steps:
                together = (
                    self.list_directions() if name in self.list_directions() else [name]
                )  # one cloud of codes serves them all
                found: list[Direction] = directions(self.model, self.model.space(), together)
                self.steps |= {way.name: (way.sd * way.vector).float() for way in found}
        return point(self.model, look, self.steps, None if look.picture is None else self.code(look.picture))

    def code(self, index: int) -> Tensor:
        """The code [1, latent_dim] of a training picture. Raises: UsageError: the game does not encode."""
        game = self.model.game
        if not isinstance(game, Encodes):
            raise UsageError("picture: only a model with an encoder (vae-...) knows the code of a picture; leave it out")
        chosen = read_rows(self.training_data, torch.tensor([index % len(self.training_data)]))
        return encode_chunks(game, chosen.float() / 127.5 - 1, 1)

    def samples(self, look: View, chunk: int = EXACT) -> Tensor:
        """The samples of the look: one image, or many points or lines; of a game that `Couples` classes all of them."""
        if not self.has_images:
            return next(self.model.stream(LINES if self.model.modality is TEXT else CLOUD, look.seed, look.label))[0]
        looks = [look]
        if isinstance(self.model.game, Couples) and look.label is None:
            looks = [replace(look, label=i) for i in range(self.model.game.classes)]
        return draw(self.model, [self.point(each) for each in looks], look.resolution, chunk)

    def picture(self, look: View, scale: int = 1, chunk: int = 1) -> Image:
        """The look as a picture, each pixel `scale` x `scale`."""
        samples = self.samples(look, chunk)
        if not self.has_images:
            return self.model.picture(samples, 2)
        return make_grid(self.render(samples, look), len(samples), scale, 0)

    def render(self, samples: Tensor, look: View) -> Tensor:
        """Samples as images [N, C, H, W], solids from the viewing angle of the look."""
        return shade(samples, look.turn) if modality_of(samples) is VOXELS else as_pictures(samples)

    def lines(self, look: View) -> list[str]:
        """The lines of a model of text; [] of other models."""
        return self.model.lines(LINES, seed=look.seed) if self.model.modality is TEXT else []

    def save(self, out: Path, look: View, scale: int = 1) -> Path:
        """The look as a PNG with the hash of the model, the seed and the look in it; the same bits as `ganvas sample`."""
        changed = {key: value for key, value in dataclasses.asdict(look).items() if value != getattr(View(), key)}
        text = {**self.model.provenance(str(look.seed)), "look": json.dumps({"seed": look.seed, **changed})}
        save_png(out, self.picture(look, scale, EXACT), text)
        return out

    def pad(self, look: View, count: int, columns: int) -> Image:
        """A sheet of the looks with the seeds from `look.seed` on, all else equal.

        Raises:
            UsageError: none, or too many.
        """
        if not 1 <= count <= MOST_SEEDS or look.seed + count > SEEDS:
            raise UsageError(f"count: expected 1 to {MOST_SEEDS} seeds, got {count} from {look.seed}")
        if not self.has_images:
            return self.picture(look)
        looks = [replace(look, seed=look.seed + i, picture=None, label=self._with_class(look)) for i in range(count)]
        samples = draw(self.model, [self.point(each) for each in looks], look.resolution, 16)
        return make_grid(self.render(samples, look), columns, 1, 0)

    def atlas(self, look: View, side: int) -> Image:
        """The plane of the look seen from far: side x side pictures, each drawn at the middle of its cell.

        Raises:
            UsageError: the model generates points or text.
        """
        self._require_images("a plane")
        cells = [(i + 0.5) / side * 2 * PLANE_REACH - PLANE_REACH for i in range(side)]
        looks = [replace(look, x=x, y=-y, label=self._with_class(look)) for y in cells for x in cells]
        samples = draw(self.model, [self.point(each) for each in looks], look.resolution, 16)
        return make_grid(self.render(samples, look), side, 1, 0)

    def ends(self, look: View, names: Sequence[str], amount: float) -> Image:
        """Two pictures of each direction, a row for each: the look moved by -`amount` and +`amount` along it alone.

        Raises:
            UsageError: the model generates points or text, or has no such direction.
        """
        self._require_images("a direction")
        looks = [replace(look, moves={name: way}, label=self._with_class(look)) for name in names for way in (-amount, amount)]
        samples = draw(self.model, [self.point(each) for each in looks], look.resolution, 16)
        return make_grid(self.render(samples, look), 2, 1, 0)

    def name_file(self, look: View) -> str:
        """What a saved picture of the look is called, without its ending: its seed, and its class if it has one."""
        parts = [f"seed{look.seed}" if look.picture is None else f"picture{look.picture}"]
        label = self._with_class(look)
        if label is not None:
            parts.append(f"class-{re.sub('[^A-Za-z0-9]+', '-', self.model.classes[label]).strip('-')[:40] or label}")
        return "-".join(parts)

    def note(self, look: View) -> str:
        """What a person must know to understand the picture; "": nothing."""
        if self.model.modality is VOXELS and not bool((self.samples(look) > 0).any()):
            return "This solid is empty: no voxel is filled, so that the picture is white."
        return ""

    def _require_images(self, what: str) -> None:
        if not self.has_images:
            raise UsageError(f"this model {self._kind}; {what} needs pictures")

    @property
    def _kind(self) -> str:
        return f"generates {'text' if self.model.modality is TEXT else 'points'}"

    def _with_class(self, look: View) -> int | None:
        return 0 if look.label is None and isinstance(self.model.game, Conditional) else look.label

    def walk(self, out: Path, looks: Sequence[View], frames: int, milliseconds: int = 50, closed: bool = True) -> Path:
        """A film of an interpolation through the looks: .gif, .apng or .mp4.

        Raises:
            UsageError: too few looks or too many frames, points instead of pictures, or another kind of file.
        """
        if frames > MOST_FRAMES or len(looks) > MOST_SEEDS:
            raise UsageError(
                f"a walk has at most {MOST_FRAMES} frames and {MOST_SEEDS} keyframes, got {frames} and {len(looks)}"
            )
        if not self.has_images:
            raise UsageError(f"this model {self._kind}; a walk needs pictures")
        out = film_name(out)
        alike = [
            replace(each, resolution=looks[0].resolution if looks else None, label=self._with_class(each)) for each in looks
        ]
        way = tour([self.point(each) for each in alike], frames, closed)
        samples = self.render(draw(self.model, way, alike[0].resolution, 16), alike[0])
        scale = 2 * legible_scale(samples.shape[-1])
        text = self.model.provenance(",".join(str(each.seed) for each in looks))
        save_film(out, [make_grid(frame[None], 1, scale, 0) for frame in samples], milliseconds, text)
        return out

    @cached_property
    def training_data(self) -> TableDataset:
        """The training samples, memory-mapped. Raises: DataError: the data does not exist any more."""
        recipe = parse_recipe(self.model.card["recipe"])
        return open_samples(recipe).hold_out(recipe.data.held_out)[0]

    def nearest(self, look: View, count: int = NEAREST) -> tuple[Image, list[float]]:
        """The sample beside the training pictures nearest to it, pixel by pixel, and their root mean square distances.

        Distances are in grey levels, from 0 to 255. The training pictures are read in parts, never copied as a whole.

        Raises:
            UsageError: the model generates points or text.
            DataError: the training data does not exist any more.
        """
        if not self.has_images:
            raise UsageError(f"this model {self._kind}; the nearest training pictures need a model of pictures")
        mine = self.samples(replace(look, resolution=None, label=self._with_class(look)))[:1]
        data = self.training_data
        distances, which = k_nearest(to_bytes(mine), data.table, min(count, len(data)), rows=data.index)
        found = read_rows(data, which[0]).float() / 127.5 - 1
        images = self.render(torch.cat([mine, found]), look)
        return make_grid(images, len(images), 1, 2), (distances[0] / mine[0].numel() ** 0.5).tolist()


def png_bytes(image: Image) -> bytes:
    """A picture as PNG, encoded for speed."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()

"""A loaded model: sample, translate, animate, inpaint, upscale, interpolate, save samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image
from torch import Tensor

from ganvas.core.capabilities import (
    Animates,
    Conditional,
    Couples,
    Inpaints,
    Samples,
    TakesInputs,
    Translates,
    Upscales,
    Writes,
)
from ganvas.core.game import Game
from ganvas.core.modality import POINTS, TEXT, VOXELS, Modality, modality_of, modality_of_shape
from ganvas.data.computed_domains import split_name
from ganvas.data.open import BUILT_IN
from ganvas.data.units import Units
from ganvas.errors import DataError, UsageError
from ganvas.inference import encoding, input_arrays, model_file
from ganvas.inference.batches import as_pictures, make_sampler, sample_chunks
from ganvas.inference.card import check_card
from ganvas.inference.class_names import find_class
from ganvas.inference.latent_space import Space, noise, space
from ganvas.inference.sample_files import is_folder, require_folder_of_pictures, save_folder
from ganvas.inference.sheet import line_width
from ganvas.latents.paths import closed_path
from ganvas.latents.seed_latents import latents
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import PICTURES, save_picture
from ganvas.media.npz import save_npz, to_array, to_arrays
from ganvas.media.preview import draw_page
from ganvas.media.scatter import scatter
from ganvas.media.text_files import save_lines
from ganvas.media.video import film_name, save_film
from ganvas.media.voxel_files import KINDS, save_solids
from ganvas.runtime import placement
from ganvas.runtime.device import find_device
from ganvas.utils.parsing import printable, require_count

Label = int | str | Sequence[int | str] | None  # a class by number or name, several, "all" or None: every one in turn
Array = np.ndarray[Any, Any]
MOST = 10**9  # samples in an archive
MOST_SHOWN = 65_536  # samples in one picture, mesh or text
MOST_FRAMES = 10_000  # of a film
# Which method makes the output of a game that takes inputs.
INPUT_METHODS: Mapping[type, str] = {
    Translates: "translate(inputs, direction)",
    Animates: "animate(source, driving)",
    Inpaints: "inpaint(images, masks)",
    Upscales: "upscale(images)",
}


class Model:
    """A trained game, and its card, which describes it."""

    def __init__(self, game: Game, card: dict[str, Any], identity: str) -> None:
        self.game, self.card, self.identity = game, card, identity

    @property
    def drawer(self) -> Samples:
        """The game as a generator of samples from noise.

        Raises:
            UsageError: it is none; the message names the method to use.
        """
        if isinstance(self.game, Samples):
            return self.game
        if isinstance(self.game, TakesInputs):
            methods = " or ".join(f"Model.{text}" for kind, text in INPUT_METHODS.items() if isinstance(self.game, kind))
            raise UsageError(f"{self.name} makes its output from inputs, not from noise alone; use {methods}")
        raise UsageError(f"{self.name} does not generate anything; choose a model of a generative game")

    @property
    def name(self) -> str:
        """The name of its recipe."""
        return printable(self.card["recipe"]["name"])

    @property
    def device(self) -> torch.device:
        """Where the networks compute. Samples and codes come back to the CPU."""
        return placement.device_of(self.game)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample: (C, H, W), (C, D, H, W), (D,), or (L,) of text.

        Raises:
            UsageError: the config does not say, and the game does not sample from noise.
        """
        config = self.game.config
        if hasattr(config, "shape"):
            return tuple(config.shape)
        if hasattr(config, "resolution") and hasattr(config, "channels"):
            return (config.channels, *[config.resolution] * getattr(config, "dims", 2))
        if isinstance(self.game, Writes):
            return (config.length,)
        c = torch.zeros(1, dtype=torch.int64) if self.classes else None
        return tuple(sample_chunks(self.drawer, latents([0], self.drawer.latent_dim), c, chunk=1).shape[1:])

    @property
    def modality(self) -> Modality:
        """The kind of its samples: points, images, voxels or text."""
        return TEXT if isinstance(self.game, Writes) else modality_of_shape(self.shape)

    @cached_property
    def units(self) -> Units | None:
        """The units of its points, in which `stream` gives them; None: those of the networks.

        Raises:
            DataError: its card has no such units.
        """
        data = self.card["recipe"].get("data")
        center, scale = (data.get("center", ()), data.get("scale", ())) if isinstance(data, dict) else ((), ())
        if not center and not scale:
            return None
        if self.modality is not POINTS or not _are_numbers(center) or not _are_numbers(scale) or min(scale, default=0) <= 0:
            raise DataError(f"{self.name}: its card has no sensible data.center and data.scale; train it again")
        units = Units(tuple(map(float, center)), tuple(map(float, scale)))
        units.require(self.shape[0], self.name)
        return units

    @property
    def white(self) -> float | None:
        """The setting `data.white` of its training: the number in a picture that is white; None: by the range of all."""
        data = self.card["recipe"].get("data")
        white = data.get("white") if isinstance(data, dict) else None
        if not isinstance(white, int | float) or isinstance(white, bool) or not 0 < white < float("inf"):
            return None
        return float(white)

    @property
    def classes(self) -> list[str]:
        """The names of the classes it can generate on request."""
        return list(map(printable, self.card["classes"])) if isinstance(self.game, Conditional) else []

    def choose_classes(self, label: Label) -> list[int]:
        """The numbers of the classes that `label` names: None or "all" all of them; [] for a model without classes.

        Raises:
            UsageError: no such class, or the model has none.
        """
        if not self.classes:
            if label is not None:
                raise UsageError("this model was trained without classes; leave --label out")
            return []
        if label is None or label == "all":
            return list(range(len(self.classes)))
        several = [label] if isinstance(label, (int, str)) else list(label)
        names = [name for name in several if isinstance(name, str)]
        if len(several) == len(names) > 1 and (whole := ",".join(names)) in self.classes:
            return [self.class_index(whole)]  # the command line cuts at commas, which a name may have
        return [self.class_index(name) for name in several]

    def classes_in_turn(self, label: Label, n: int, first: int = 0) -> Tensor | None:
        """The classes [n] of samples first .. first + n - 1: those that `label` names, in turn; None without classes.

        Raises:
            UsageError: no such class, or the model has none.
        """
        chosen = self.choose_classes(label)
        return torch.tensor([chosen[i % len(chosen)] for i in range(first, first + n)]) if chosen else None

    def class_index(self, name: int | str) -> int:
        """The number of a class given by its number (7, "#7") or its name ("cat", "7"); see `find_class`.

        Raises:
            UsageError: no such class; names the nearest.
        """
        return find_class(name, self.classes)

    def stream(
        self,
        n: int,
        seed: int = 0,
        label: Label = None,
        psi: float = 1.0,
        truncate: float | None = None,
        chunk: int = 512,
        temperature: float = 1.0,
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Samples of seeds seed .. seed+n in float [k, ...] (text: int64 [k, L]), with their classes [k], a few at a time.

        Raises:
            UsageError: fewer than one sample, no such class, a truncation that the game does not have, or a game that takes
                inputs.
        """
        if n < 1:
            raise UsageError(f"the number of samples must be at least 1, got {n}")
        share, draw = self.together(label), make_sampler(self.drawer, psi, temperature)
        for first in range(0, n, chunk):
            rows = range(first, min(n, first + chunk))
            c = self.classes_in_turn(label, len(rows), first)
            z = noise(self.drawer, [seed + i // share for i in rows], truncate)
            samples = sample_chunks(self.drawer, z, c, draw=draw)
            yield self._in_own_units(samples), c

    def data_source(self, given: str | None, option: str) -> str:
        """The data source to use: `given`, or that of the training. `option` is the flag that names another source.

        Raises:
            DataError: it is not on this machine: a bundle holds only the last part of a path.
        """
        if given is not None:
            return given
        source = str(self.card["recipe"]["data"]["source"])
        inner = split_name(source)[1]
        if inner not in BUILT_IN and not Path(inner).expanduser().exists():
            raise DataError(f"this model was trained on {source!r}, which is not here; say where it is with {option} PATH")
        return source

    def together(self, label: Label) -> int:
        """The number of consecutive samples with one seed: the number of classes if the game `Couples` them and no class is
        chosen, else 1.
        """
        return len(self.classes) if isinstance(self.game, Couples) and label in (None, "all") else 1

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions of a translation, such as "a>b"; () of another game."""
        return self.game.directions if isinstance(self.game, Translates) else ()

    def lines(self, n: int = 1, *, seed: int = 0, temperature: float = 1.0) -> list[str]:
        """n lines of text of seeds seed .. seed+n; below temperature 1 more typical and less varied ones.

        Raises:
            UsageError: it generates no text.
        """
        if not isinstance(self.game, Writes):
            raise UsageError(f"{self.name} generates no text; choose a model of a textgan or textlm recipe")
        return [line for part, _ in self.stream(n, seed, temperature=temperature) for line in self.game.decode_text(part)]

    def sample(
        self,
        n: int = 1,
        *,
        seed: int = 0,
        label: Label = None,
        psi: float = 1.0,
        truncate: float | None = None,
        temperature: float = 1.0,
    ) -> Any:
        """Samples of seeds seed .. seed+n: images uint8 [n, H, W, C], solids uint8 [n, D, H, W], points float32 [n, D], or
        float64 if they were standardised; of text a list of n lines. Seed k gives the same sample for every n.

        Raises:
            UsageError: as `stream`.
        """
        parts = self.stream(n, seed, label, psi, truncate, temperature=temperature)
        if isinstance(self.game, Writes):
            return [line for part, _ in parts for line in self.game.decode_text(part)]
        return np.concatenate([to_array(part)[1] for part, _ in parts])

    def translate(
        self, inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike], direction: str | None = None, *, seed: int = 0
    ) -> Array:
        """Images translated in one of `directions`: uint8 [n, H, W, C] -> uint8 [n, H, W, C]; label maps uint8 [n, H, W].

        `inputs` is the source field of the direction, or every field that the game takes, by name. `direction` may be left
        out if there is only one. Sample i has the noise of seed + i, if the game takes noise.

        Raises:
            UsageError: the game does not translate, no such direction, or inputs of another type or shape.
        """
        return input_arrays.translate(self._require(Translates, "translate"), inputs, direction, seed)

    def animate(self, source: npt.ArrayLike, driving: npt.ArrayLike) -> Array:
        """Images uint8 [n, H, W, C] that move as the clips `driving` uint8 [n, T, H, W, C] -> clips uint8 [n, T, H, W, C].

        Raises:
            UsageError: the game does not animate, or inputs of another type or shape.
        """
        return input_arrays.animate(self._require(Animates, "animate"), source, driving)

    def inpaint(self, images: npt.ArrayLike, masks: npt.ArrayLike, *, seed: int = 0) -> Array:
        """Images uint8 [n, H, W, C] with masks bool or uint8 [n, H, W], not 0 at missing pixels -> images uint8 [n, H, W, C].

        Only missing pixels change. Image i has the noise of seed + i, if the game takes noise.

        Raises:
            UsageError: the game does not inpaint, or inputs of another type or shape.
        """
        return input_arrays.inpaint(self._require(Inpaints, "inpaint"), images, masks, seed)

    def upscale(self, images: npt.ArrayLike) -> Array:
        """Images uint8 [n, H, W, C] -> uint8 [n, scale H, scale W, C], `scale` as the game's.

        Raises:
            UsageError: the game does not upscale, or inputs of another type or shape.
        """
        return input_arrays.upscale(self._require(Upscales, "upscale"), images)

    def _require(self, capability: type, verb: str) -> Any:
        """The game, if it has the capability. Raises: UsageError: it does not."""
        if not isinstance(self.game, capability):
            raise UsageError(f"{self.name} does not {verb}; choose a model of a game that does")
        return self.game

    def save(
        self,
        out: str | Path,
        n: int | None = None,
        *,
        seed: int = 0,
        label: Label = None,
        columns: int | None = None,
        psi: float = 1.0,
        truncate: float | None = None,
        temperature: float = 1.0,
    ) -> Path:
        """Samples into a file: .png and .jpg a sheet, .npz `images` uint8 [n, H, W, C] (`points`, `voxels`), `labels`,
        `classes`, any n. A name without an ending is a new folder: one PNG a sample, and labels.csv.

        Solids also as .gif, in which they turn round, and as one mesh, .obj or .stl. n is 64 where it is None; of solids in
        a GIF one of each class, in a mesh 1. Text as .txt, a line a sample, or as a page.

        Raises:
            UsageError: another kind of file, or a folder with something in it.
        """
        if is_folder(out):
            require_folder_of_pictures(Path(out), self.modality)
            n, share = 64 if n is None else n, self.together(label)
            require_count("the number of samples", n, 1, MOST_SHOWN)
            stream = self.stream(n, seed, label, psi, truncate, temperature=temperature)
            return save_folder(Path(out), stream, (seed + i // share for i in range(n)), self.classes, self.provenance)
        out = Path(out)
        other = (".txt",) if self.modality is TEXT else (".npz", *(KINDS if self.modality is VOXELS else ()))
        if out.suffix.lower() not in (*PICTURES, *other):
            known = f"{', '.join((*PICTURES, *other))}, or none for a folder"
            raise UsageError(f"cannot write samples to {printable(out.name)!r}: expected a name ending in {known}")
        if n is not None:
            require_count("the number of samples", n, 1, MOST if out.suffix.lower() == ".npz" else MOST_SHOWN)
        if n is None:
            n = {".gif": len(self.classes) or 1, ".obj": 1, ".stl": 1}.get(out.suffix.lower(), 64)
        if out.suffix.lower() == ".npz":
            parts = (to_arrays(part, c) for part, c in self.stream(n, seed, label, psi, truncate))
            save_npz(out, n, parts, {"classes": np.array(self.classes)} if self.classes else {})
            return out
        if self.modality is TEXT and out.suffix.lower() == ".txt":
            lines = self.sample(n, seed=seed, label=label, psi=psi, truncate=truncate, temperature=temperature)
            return save_lines(out, lines)
        samples = torch.cat([part for part, _ in self.stream(n, seed, label, psi, truncate, temperature=temperature)])
        text = self.provenance(f"{seed}-{seed + (n - 1) // self.together(label)}")
        if out.suffix.lower() in PICTURES:
            save_picture(out, self.picture(samples, columns), text)
        else:
            save_solids(out, samples, columns or round(n**0.5 + 0.4), text)
        return out

    def picture(self, samples: Tensor, columns: int | None = None) -> Image:
        """One picture of samples [n, ...]."""
        if isinstance(self.game, Writes):
            return draw_page(self.game.decode_text(samples), line_width(self.game), columns)
        if modality_of(samples) is POINTS:
            samples = samples if self.units is None else self.units.standardize(samples)  # unlike scales fill the picture too
            return scatter(samples[:0], samples)
        if columns is None:
            square = max(1, round(len(samples) ** 0.5))
            columns = len(self.classes) or square
            if isinstance(self.game, Couples):  # couples side by side
                columns *= max(1, round(square / columns))
        images = as_pictures(samples)
        return make_grid(images, min(columns, len(images)), legible_scale(images.shape[-1]))

    def provenance(self, seeds: str) -> dict[str, str]:
        """The origin of a picture, to be written into its file."""
        return {"model": self.identity, "recipe": self.name, "seeds": seeds, "synthetic": "true"}

    def space(self, name: str | None = None, label: Label = None) -> Space:
        """The latent space: z, or the styles w of a StyleGAN model; None: w if the model has it."""
        return space(self.drawer, name, self.choose_classes(label) if self.together(label) > 1 else ())

    def interpolate(
        self,
        out: str | Path,
        seeds: Sequence[int],
        frames: int = 60,
        *,
        label: Label = None,
        milliseconds: int = 50,
        straight: bool = False,
        where: str = "z",
    ) -> Path:
        """A closed interpolation through the codes of `seeds` as GIF, animated PNG or MP4; text as .txt.

        It is spherical in z and linear in w. Several classes are interpolated too; None is the first class.

        Raises:
            UsageError: fewer than two seeds or frames, no such space, another kind of file, or MP4 without its extra.
        """
        if len(seeds) < 2 or frames < 2:
            raise UsageError(f"a walk needs at least two seeds and two frames, got {len(seeds)} and {frames}")
        require_count("frames", frames, 2, MOST_FRAMES)
        if isinstance(self.game, Writes):
            return self.walk_of_lines(Path(out), seeds, frames)
        out = film_name(out)
        classes = self.choose_classes(label)[: 1 if label is None else None]
        pictures = self.space(where, label).walk(seeds, classes, len(self.classes), frames, straight)
        scale = 4 * legible_scale(pictures.shape[-1])
        text = self.provenance(",".join(map(str, seeds)))
        save_film(out, [make_grid(frame[None], 1, scale, 0) for frame in pictures], milliseconds, text)
        return out

    def walk_of_lines(self, out: Path, seeds: Sequence[int], frames: int) -> Path:
        """A closed walk through lines of text, a line a frame. Raises: UsageError: another kind of file, or no text."""
        if not isinstance(self.game, Writes) or out.suffix.lower() != ".txt":
            raise UsageError(f"cannot write a walk to {out.name!r}: expected a name ending in .txt")
        return save_lines(
            out,
            self.game.decode_text(
                sample_chunks(self.drawer, closed_path(latents(seeds, self.drawer.latent_dim), frames), None)
            ),
        )

    def encode(self, images: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """images uint8 [n, H, W, C] -> codes float32 [n, latent_dim]. Raises: UsageError: no encoder, or other pictures."""
        return encoding.encode(self.game, self._as_samples(images)).numpy()

    def decode(self, z: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """z [n, latent_dim] -> samples as of `sample`. Raises: UsageError: another shape, or a model with classes."""
        return to_array(self._in_own_units(encoding.decode(self.drawer, z)))[1]

    def reconstruct(self, images: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """images uint8 [n, H, W, C] -> samples of their codes, of the class that the model predicts."""
        return to_array(self._in_own_units(encoding.reconstruct(self.game, self._as_samples(images))))[1]

    def _as_samples(self, samples: npt.ArrayLike) -> Tensor:
        """Samples as the user has them -> as the networks take them."""
        if self.units is None or np.shape(samples)[1:] != self.shape:
            return encoding.as_samples(samples, self.shape)
        own = torch.as_tensor(np.asarray(samples, np.float64))
        return encoding.as_samples(self.units.standardize(own).numpy(), self.shape)

    def _in_own_units(self, samples: Tensor) -> Tensor:
        """Samples of the networks -> in the units of the user."""
        return samples if self.units is None else self.units.restore(samples)


def _are_numbers(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(type(v) in (int, float) and abs(v) < float("inf") for v in values)


def load(path: str | Path, device: str | torch.device = "auto") -> Model:
    """The model in a bundle or a run folder, on a device: cpu, cuda, cuda:1, ...; auto: a GPU if there is one.

    Raises:
        UsageError: no kind of device has this name.
        ResourceError: this machine has no such device.
        DataError: there is no model, or it is damaged.
    """
    path = Path(path)
    game, card = model_file.load(path, device if isinstance(device, torch.device) else find_device(device))
    file = path / "model.safetensors" if path.is_dir() else path
    try:
        check_card(game, card)
    except DataError as wrong:
        raise DataError(f"{printable(file)}: {printable(wrong)}") from None
    return Model(game, card, hashlib.sha256(file.read_bytes()).hexdigest()[:12])

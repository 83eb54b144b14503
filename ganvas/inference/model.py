"""A loaded model: sample, interpolate, save samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image
from torch import Tensor

from ganvas.core.capabilities import Conditional, Couples, Samples, Writes
from ganvas.core.game import Game
from ganvas.core.modality import POINTS, TEXT, VOXELS, Modality, modality_of, modality_of_shape
from ganvas.data.computed_domains import split_name
from ganvas.data.open import BUILT_IN
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.inference import encoding, model_file
from ganvas.inference.batches import as_pictures, make_sampler, sample_chunks
from ganvas.inference.latent_space import Space, noise, space
from ganvas.inference.sheet import line_width
from ganvas.latents.paths import closed_path
from ganvas.latents.seed_latents import latents
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import save_png
from ganvas.media.npz import save_npz, to_array, to_arrays
from ganvas.media.preview import draw_page
from ganvas.media.scatter import scatter
from ganvas.media.text_files import save_lines
from ganvas.media.video import film_name, save_film
from ganvas.media.voxel_files import KINDS, save_solids
from ganvas.runtime import placement
from ganvas.runtime.device import find_device

Label = int | str | Sequence[int | str] | None  # a class by number or name, several, "all" or None: every one in turn


class Model:
    """A game that draws, with the card that says what it is."""

    def __init__(self, game: Game, card: dict[str, Any], identity: str) -> None:
        self.game, self.card, self.identity = game, card, identity

    @property
    def drawer(self) -> Samples:
        """The game, as something that turns noise into data.

        Raises:
            UsageError: it does not.
        """
        if not isinstance(self.game, Samples):
            raise UsageError(f"{self.card['recipe']['name']} does not generate anything; choose a model of a generative game")
        return self.game

    @property
    def device(self) -> torch.device:
        """Where the networks compute. Samples and codes come back to the CPU."""
        return placement.device_of(self.game)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of one sample: (C, H, W), (C, D, H, W), (D,), or (L,) of text. Nothing is drawn where the config says it."""
        config = self.game.config
        if hasattr(config, "shape"):
            return tuple(config.shape)
        if hasattr(config, "resolution") and hasattr(config, "channels"):
            return (config.channels, *[config.resolution] * getattr(config, "dims", 2))
        if self.writes:
            return (config.length,)
        c = torch.zeros(1, dtype=torch.int64) if self.classes else None
        return tuple(sample_chunks(self.drawer, latents([0], self.drawer.latent_dim), c, chunk=1).shape[1:])

    @property
    def modality(self) -> Modality:
        """What it draws: points, images, voxels or text."""
        return TEXT if self.writes else modality_of_shape(self.shape)

    @property
    def classes(self) -> list[str]:
        """The names of the classes it can be asked for."""
        return list(self.card["classes"]) if isinstance(self.game, Conditional) else []

    def chosen(self, label: Label) -> list[int]:
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
        return [self.class_index(name) for name in ([label] if isinstance(label, (int, str)) else label)]

    def classes_in_turn(self, label: Label, n: int, first: int = 0) -> Tensor | None:
        """The classes [n] of samples first .. first + n - 1: those that `label` names in turn; None without classes.

        Raises:
            UsageError: no such class, or the model has none.
        """
        chosen = self.chosen(label)
        return torch.tensor([chosen[i % len(chosen)] for i in range(first, first + n)]) if chosen else None

    def class_index(self, name: int | str) -> int:
        """The number of a class given by number or name.

        Raises:
            UsageError: no such class; names the nearest.
        """
        if str(name) in self.classes:
            return self.classes.index(str(name))
        if str(name).isdigit() and int(name) < len(self.classes):
            return int(name)
        raise unknown_name("class", str(name), self.classes)

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
            UsageError: fewer than one sample, no such class, or a truncation that the game has no use for.
        """
        if n < 1:
            raise UsageError(f"the number of samples must be at least 1, got {n}")
        share, draw = self.together(label), make_sampler(self.drawer, psi, temperature)
        for first in range(0, n, chunk):
            rows = range(first, min(n, first + chunk))
            c = self.classes_in_turn(label, len(rows), first)
            z = noise(self.drawer, [seed + i // share for i in rows], truncate)
            yield sample_chunks(self.drawer, z, c, draw=draw), c

    def data_source(self, given: str | None, option: str) -> str:
        """The data to use: `given`, or what the model was trained on. `option` is the flag that names other data.

        Raises:
            DataError: it is not here: a bundle holds only the last part of a path.
        """
        if given is not None:
            return given
        source = str(self.card["recipe"]["data"]["source"])
        inner = split_name(source)[1]
        if inner not in BUILT_IN and not Path(inner).expanduser().exists():
            raise DataError(f"this model was trained on {source!r}, which is not here; say where it is with {option} PATH")
        return source

    def together(self, label: Label) -> int:
        """How many samples in a row share a seed: all classes of a model of couples, where none is chosen; else 1."""
        return len(self.classes) if isinstance(self.game, Couples) and label in (None, "all") else 1

    @property
    def writes(self) -> bool:
        """Whether it draws lines of text."""
        return isinstance(self.game, Writes)

    def lines(self, n: int = 1, *, seed: int = 0, temperature: float = 1.0) -> list[str]:
        """n lines of text of seeds seed .. seed+n; below temperature 1 more typical and less varied ones.

        Raises:
            UsageError: it draws no text.
        """
        if not isinstance(self.game, Writes):
            raise UsageError(f"{self.card['recipe']['name']} writes nothing; choose a model of a textgan or textlm recipe")
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
        """Samples of seeds seed .. seed+n: images uint8 [n, H, W, C], solids uint8 [n, D, H, W], points float32 [n, D]; of text
        a list of n lines. Seed k is the same picture, or line, whatever n is.
        """
        parts = self.stream(n, seed, label, psi, truncate, temperature=temperature)
        if isinstance(self.game, Writes):
            return [line for part, _ in parts for line in self.game.decode_text(part)]
        return np.concatenate([to_array(part)[1] for part, _ in parts])

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
        """Samples into a file: .png a sheet, .npz `images` uint8 [n, H, W, C] and `labels` (`points`, `voxels`), any n.

        Solids also as .gif, in which they turn round, and as one mesh, .obj or .stl. n is 64 where it is None; of solids in
        a GIF one of each class, in a mesh 1. Text as .txt, a line a sample, or as .png, a page.

        Raises:
            UsageError: another kind of file.
        """
        out = Path(out)
        kinds = (".txt", ".png") if self.writes else (".png", ".npz", *(KINDS if self.modality is VOXELS else ()))
        if out.suffix.lower() not in kinds:
            known = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
            raise UsageError(f"cannot write samples to {out.name!r}: expected a name ending in {known}")
        if n is None:
            n = {".gif": len(self.classes) or 1, ".obj": 1, ".stl": 1}.get(out.suffix.lower(), 64)
        if out.suffix.lower() == ".npz":
            save_npz(out, n, (to_arrays(part, c) for part, c in self.stream(n, seed, label, psi, truncate)))
            return out
        if self.writes and out.suffix.lower() == ".txt":
            lines = self.sample(n, seed=seed, label=label, psi=psi, truncate=truncate, temperature=temperature)
            return save_lines(out, lines)
        samples = torch.cat([part for part, _ in self.stream(n, seed, label, psi, truncate, temperature=temperature)])
        told = self.provenance(f"{seed}-{seed + (n - 1) // self.together(label)}")
        if out.suffix.lower() == ".png":
            save_png(out, self.picture(samples, columns), told)
        else:
            save_solids(out, samples, columns or round(n**0.5 + 0.4), told)
        return out

    def picture(self, samples: Tensor, columns: int | None = None) -> Image:
        """One picture of samples [n, ...]."""
        if isinstance(self.game, Writes):
            return draw_page(self.game.decode_text(samples), line_width(self.game), columns)
        if modality_of(samples) is POINTS:
            return scatter(samples[:0], samples)
        if columns is None:
            square = max(1, round(len(samples) ** 0.5))
            columns = len(self.classes) or square
            if isinstance(self.game, Couples):  # couples side by side
                columns *= max(1, round(square / columns))
        images = as_pictures(samples)
        return make_grid(images, min(columns, len(images)), legible_scale(images.shape[-1]))

    def provenance(self, seeds: str) -> dict[str, str]:
        """What a picture says of where it is from."""
        return {"model": self.identity, "recipe": str(self.card["recipe"]["name"]), "seeds": seeds, "synthetic": "true"}

    def space(self, name: str | None = None, label: Label = None) -> Space:
        """The latent space: z, or the styles w of a StyleGAN model; None: w if the model has it."""
        return space(self.drawer, name, self.chosen(label) if self.together(label) > 1 else ())

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
        """A closed walk through the codes of `seeds` as GIF, animated PNG or MP4; spherical in z, straight in w; text as .txt.

        One class stays (None: the first); several are morphed into one another along the way.

        Raises:
            UsageError: nothing to walk between, no such space, another kind of file, or MP4 without its extra.
        """
        if len(seeds) < 2 or frames < 2:
            raise UsageError(f"a walk needs at least two seeds and two frames, got {len(seeds)} and {frames}")
        if isinstance(self.game, Writes):
            return self.walk_of_lines(Path(out), seeds, frames)
        out = film_name(out)
        classes = self.chosen(label)[: 1 if label is None else None]
        pictures = self.space(where, label).walk(seeds, classes, len(self.classes), frames, straight)
        scale = 4 * legible_scale(pictures.shape[-1])
        told = self.provenance(",".join(map(str, seeds)))
        save_film(out, [make_grid(frame[None], 1, scale, 0) for frame in pictures], milliseconds, told)
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
        return encoding.encode(self.game, encoding.as_samples(images, self.shape)).numpy()

    def decode(self, z: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """z [n, latent_dim] -> samples as of `sample`. Raises: UsageError: another shape, or a model with classes."""
        return to_array(encoding.decode(self.drawer, z))[1]

    def reconstruct(self, images: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """images uint8 [n, H, W, C] -> what the model draws from their codes, of the class that it names itself."""
        return to_array(encoding.reconstruct(self.game, encoding.as_samples(images, self.shape)))[1]


def load(path: str | Path, device: str | torch.device = "auto") -> Model:
    """The model in a bundle or a run folder, on a device: cpu, cuda, cuda:1, ...; auto: a GPU where there is one.

    Raises:
        UsageError: no kind of device is called so.
        ResourceError: there is no such device here.
        DataError: there is no model, or it is damaged.
    """
    path = Path(path)
    game, card = model_file.load(path, device if isinstance(device, torch.device) else find_device(device))
    file = path / "model.safetensors" if path.is_dir() else path
    return Model(game, card, hashlib.sha256(file.read_bytes()).hexdigest()[:12])

"""A loaded model: sample, translate, animate, inpaint, upscale, interpolate, save samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image

from ganvas.core.capabilities import (
    Animates,
    Classifies,
    Inpaints,
    Translates,
    Upscales,
    Writes,
)
from ganvas.core.modality import IMAGES, TEXT, VOXELS
from ganvas.errors import DataError, UsageError
from ganvas.inference import encoding, input_arrays, model_file
from ganvas.inference.batches import class_shares, sample_chunks
from ganvas.inference.card import check_card
from ganvas.inference.code_pictures import draw_codes
from ganvas.inference.codes import Codes, name_places
from ganvas.inference.loaded_game import Array, Label
from ganvas.inference.sample_files import is_folder, require_folder_of_pictures, save_folder
from ganvas.inference.shipped_models import find_model
from ganvas.inference.shown_model import MOST_SHOWN, ShownModel
from ganvas.latents.paths import closed_path
from ganvas.media.font import explain_names, warn_of_numbers
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import PICTURES, save_picture
from ganvas.media.npz import save_npz, to_array, to_arrays
from ganvas.media.shown_arrays import as_shown
from ganvas.media.text_files import save_lines
from ganvas.media.video import film_name, save_film
from ganvas.media.voxel_files import SOLID_FILES, save_solids
from ganvas.runtime.device import find_device
from ganvas.utils.parsing import printable, require_count

MOST = 10**9  # samples in an archive
MOST_SIDE = 256  # rows and columns of a square of so many samples
MOST_FRAMES = 10_000  # of a film


class Model(ShownModel):
    """A trained game that makes arrays and files: samples, walks, and outputs for inputs."""

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
        float64 if they were standardised; of text a list of n lines. Seed k gives the same sample for every n. A notebook
        shows images.

        Raises:
            UsageError: as `stream`.
        """
        parts = self.stream(n, seed, label, psi, truncate, temperature=temperature)
        if isinstance(self.game, Writes):
            return [line for part, _ in parts for line in self.game.decode_text(part)]
        found = np.concatenate([to_array(part)[1] for part, _ in parts])
        return as_shown(found) if self.modality is IMAGES else found

    def translate(
        self,
        inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike] | Image | str | Path,
        direction: str | None = None,
        *,
        to: str | None = None,
        seed: int = 0,
        strength: float = 1.0,
        tileable: bool = False,
    ) -> Any:
        """Images translated in one of `directions`: uint8 [n, H, W, C] -> uint8 [n, H, W, C]; label maps uint8 [n, H, W].

        H and W may be anything. One picture uint8 [H, W, 3 or 4] becomes one picture. `inputs` is the source field of
        the direction, or every field that the game takes, by name.
        A picture of Pillow, or the path of one, becomes a picture of its size, with its transparency. `to` is what the user
        calls the output, in place of the direction; neither is needed if there is only one. Sample i has the noise of
        seed + i, if the game takes noise. `strength` from 0 to 1: how much of the change is made. `tileable`: of one picture
        whose opposite sides join, such as a texture, so that they still do.

        Raises:
            UsageError: the game does not translate, no such direction, or inputs of another type or shape.
            DataError: the file cannot be read.
        """
        if not isinstance(self.game, Upscales):
            self._require(Translates, "translate")
        return as_shown(input_arrays.translate(self, inputs, direction, to, seed, strength, tileable))

    def paint(self, given: npt.ArrayLike | Image | str | Path, *, seed: int = 0, side: int | None = None) -> Any:
        """A picture for one label map: uint8 [H, W] with the number of the class of each pixel, 255: not known ->
        uint8 [H, W, C]. `side`: the map is first resized so that its longer side has so many pixels.

        A picture of Pillow, or the path of one, has the classes as colors of the model's legend, or as numbers; it becomes
        a picture of Pillow.

        Raises:
            UsageError: the game does not paint maps, a number that is no class, or too large a map.
            DataError: the file cannot be read, or has other colors than the classes.
        """
        return as_shown(input_arrays.paint(self, given, seed, side))

    def animate(self, source: npt.ArrayLike, driving: npt.ArrayLike, *, absolute: bool = False) -> Array:
        """Images uint8 [n, H, W, C] that move as the clips `driving` uint8 [n, T, H, W, C] -> clips uint8 [n, T, H, W, C].

        The motion is that of the clip since its frame whose pose is nearest to that of the image. `absolute`: the poses of the
        clip as they are. `ganvas.inference.animation.animate_clip` takes pictures of any size.

        Raises:
            UsageError: the game does not animate, or inputs of another type or shape.
        """
        return as_shown(input_arrays.animate(self._require(Animates, "animate"), source, driving, absolute=absolute))

    def inpaint(
        self, images: npt.ArrayLike | Image | str | Path, masks: npt.ArrayLike | Image | str | Path, *, seed: int = 0
    ) -> Any:
        """Images uint8 [n, H, W, C] with holes filled; masks bool or uint8 [n, H, W], white (above 127) or 1 in the hole.

        H and W may be anything. A picture or path with a mask becomes a picture, as does one image uint8 [H, W, C]
        with one mask [H, W]. Image i has the noise of seed + i, if any.
        Models that sample: `editing.hole_inversion.fill_by_inversion`.

        Raises:
            UsageError: the game does not inpaint, inputs of another type or shape, or a mask without a hole.
            DataError: a file cannot be read.
        """
        return as_shown(input_arrays.inpaint(self._require(Inpaints, "inpaint"), images, masks, seed))

    def upscale(self, images: npt.ArrayLike | Image | str | Path, *, strength: float = 1.0) -> Any:
        """Images uint8 [n, H, W, C] -> uint8 [n, scale H, scale W, C], `scale` as the game's; a picture or path -> a picture;
        one picture uint8 [H, W, 3 or 4] -> one picture.

        `strength` is from 0, only what the pixels say, to 1, with all details that the game makes up.

        Raises:
            UsageError: the game does not upscale, or inputs of another type or shape.
            DataError: the file cannot be read.
        """
        self._require(Upscales, "upscale")
        return as_shown(input_arrays.upscale(self, images, strength))

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
        """Samples into a file: .png and .jpg a sheet, of one image its own pixels; .npz `images` uint8 [n, H, W, C] (`points`,
        `voxels`), `labels`, `classes`, any n. A name without an ending is a new folder: one PNG a sample, and labels.csv.

        Solids also as .gif, in which they turn round, and as one mesh, .obj or .stl. n is 64 where it is None; of solids in
        a GIF one of each class, in a mesh 1. Text as .txt, a line a sample, or as a page. A `GanvasWarning` tells of classes
        that a sheet can only show by number.

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
        if columns is not None:
            require_count("columns", columns, 1, MOST_SHOWN)
        other = (".txt",) if self.modality is TEXT else (".npz", *(SOLID_FILES if self.modality is VOXELS else ()))
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
            shown = self.named_in_turn(label, n) if columns is None else []
            save_picture(out, self.file_picture(samples, columns, shown), text | explain_names(self.classes, shown))
            warn_of_numbers(self.classes, shown)
        else:
            save_solids(out, samples, columns or round(n**0.5 + 0.4), text)
        return out

    def interpolate(
        self,
        out: str | Path,
        seeds: Sequence[int] | Codes,
        frames: int = 60,
        *,
        label: Label = None,
        milliseconds: int = 50,
        straight: bool = False,
        where: str | None = None,
    ) -> Path:
        """A closed interpolation through the codes of `seeds` as GIF, animated PNG or MP4; text as .txt.

        It is spherical in z and linear in w; None is w for codes that are styles, else z. Several classes are interpolated
        too, also with one seed; of `label` None is the first class, or those of the codes.

        Raises:
            UsageError: neither two seeds nor two classes, fewer than two frames, no such space, another kind of file, or MP4
                without its extra.
        """
        classes = self.choose_classes(label)[: 1 if label is None else None]
        if isinstance(seeds, Codes) and seeds.classes is not None and label is None:
            classes = seeds.classes.tolist()
        if len(seeds) < 2 and (len(classes) < 2 or self.together(label) > 1):
            raise UsageError(f"a walk needs at least two seeds{' or two classes' if self.classes else ''}, got {len(seeds)}")
        require_count("frames", frames, 2, MOST_FRAMES)
        if isinstance(self.game, Writes):
            return self.walk_of_lines(Path(out), seeds, frames)
        out = film_name(out)
        where = where or ("w" if isinstance(seeds, Codes) and seeds.space != "z" else "z")
        pictures = self.space(where, label).walk(seeds, classes, len(self.classes), frames, straight)
        scale = 4 * legible_scale(pictures.shape[-1])
        text = self.provenance(name_places(seeds))
        save_film(out, [make_grid(frame[None], 1, scale, 0) for frame in pictures], milliseconds, text)
        return out

    def walk_of_lines(self, out: Path, seeds: Sequence[int] | Codes, frames: int) -> Path:
        """A closed walk through lines of text, a line a frame. Raises: UsageError: another kind of file, or no text."""
        if not isinstance(self.game, Writes) or out.suffix.lower() != ".txt":
            raise UsageError(f"cannot write a walk to {out.name!r}: expected a name ending in .txt")
        return save_lines(
            out,
            self.game.decode_text(sample_chunks(self.drawer, closed_path(self.space("z").of_seeds(seeds, None), frames), None)),
        )

    def draw(self, codes: Codes, *, label: Label = None, psi: float = 1.0) -> Array:
        """The pictures uint8 [n, H, W, C] of codes, such as `load_codes` reads. Raises: UsageError: as `draw_codes`."""
        return as_shown(to_array(draw_codes(self, codes, label=label, psi=psi)[0])[1])

    def classify(self, samples: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """Images uint8 [n, H, W, C], or other samples as of `sample` -> P(class | sample), float32 [n, classes].

        The columns are in the order of `named_classes`. Images have the size of the training images.

        Raises:
            UsageError: the game does not classify, or samples of another type or shape.
        """
        return class_shares(self._require(Classifies, "classify"), self._as_samples(samples)).numpy()

    def encode(self, images: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """images uint8 [n, H, W, C] -> codes float32 [n, latent_dim]. Raises: UsageError: no encoder, or other pictures."""
        return encoding.encode(self.game, self._as_samples(images)).numpy()

    def decode(self, z: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """z [n, latent_dim] -> samples as of `sample`. Raises: UsageError: another shape, or a model with classes."""
        return to_array(self._in_own_units(encoding.decode(self.drawer, z)))[1]

    def reconstruct(self, images: npt.ArrayLike) -> np.ndarray[Any, Any]:
        """images uint8 [n, H, W, C] -> samples of their codes, of the class that the model predicts."""
        return to_array(self._in_own_units(encoding.reconstruct(self.game, self._as_samples(images))))[1]


def load(path: str | Path, device: str | torch.device = "auto", *, discriminator: bool = False) -> Model:
    """The model in a bundle or a run folder, or of this name if it comes with ganvas, on a device.

    Devices are cpu, cuda, cuda:1, ...; auto: a GPU if there is one.
    `discriminator` loads its discriminator too, which only `Model.game.judge` needs and which is in a file beside the bundle.

    Raises:
        UsageError: no kind of device has this name.
        ResourceError: this machine has no such device.
        DataError: there is no model, or it is damaged; or there is no discriminator of it, if it is asked for.
    """
    path = find_model(path)
    where = device if isinstance(device, torch.device) else find_device(device)
    game, card = model_file.load(path, where, discriminator=discriminator)
    file = path / model_file.NAME if path.is_dir() else path
    try:
        check_card(game, card)
    except DataError as wrong:
        raise DataError(f"{printable(file)}: {printable(wrong)}") from None
    return Model(game, card, model_file.identify(file))

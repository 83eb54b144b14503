"""Animate a picture of a file with a clip of a file, into a file; beside it a picture that shows how both were cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganvas.data.builtin import emoji_clips
from ganvas.data.clip_files import PACE, Clip, put_on_white, read_clip
from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.input_files import open_input, require_other
from ganvas.data.source_names import find_path
from ganvas.data.whole_picture import read_picture
from ganvas.errors import DataError, UsageError
from ganvas.inference.animation import Animated, animate_clip
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.output_names import OR_FOLDER, find_free, open_folder
from ganvas.media.animations import encode_animation
from ganvas.media.grid import legible_scale
from ganvas.media.image_files import encode_picture
from ganvas.media.video import save_film
from ganvas.utils.files import require_writable, write_durably
from ganvas.utils.parsing import printable

Array = npt.NDArray[Any]
FILMS = (".gif", ".png", ".apng", ".webp", ".mp4")
MOST_NAME = 60  # letters of the names of the picture and the clip


@dataclass(frozen=True)
class AnimatedFile:
    """What was written."""

    out: Path
    crops: Path  # a picture: what the model got of the picture and of the clip, and what it made of them
    result: Animated

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        picture, clip = (crop.text() for crop in self.result.crops)
        facts = {"out": str(self.out), "crops": str(self.crops), "picture": picture, "clip": clip}
        return {**facts, "start": self.result.start, "motion": list(self.result.motion), "notes": list(self.result.notes)}


def animate_file(
    model: LoadedGame,
    picture: str | Path,
    driving: str | Path,
    out: str | Path | None = None,
    *,
    absolute: bool = False,
    advice: str = "leave absolute out",
) -> AnimatedFile:
    """Let the picture in a file move as the clip `driving` does: a file, a folder of frames, or the name of a shipped clip.

    It becomes `out`, by default NAME-CLIP.gif in this folder, as large as the pictures of the training and as fast as the clip.
    Beside it is NAME-crops.png, or NAME-crops-2.png, ... if that exists, which shows how both were cut. `absolute` and `advice`
    are those of `animate_clip`.

    Raises:
        UsageError: the model does not animate, or `out` has another ending, or is one of the inputs.
        DataError: a file cannot be read, or has one frame only.
        ResourceError: a file cannot be written.
    """
    clip, (source, notes) = find_clip(driving), read_still(picture)
    if clip.more:
        notes.append(f"{printable(driving)}: only the first {len(clip.frames):,} frames are read")
    target = _choose_out(picture, driving, out)
    found = animate_clip(model, source, clip.frames, absolute=absolute, advice=advice)
    found = replace(found, notes=(*notes, *found.notes))
    motion = "absolute" if absolute else f"relative to frame {(found.start or 0) + 1}"
    text = model.provenance("none") | {"direction": f"animated, {motion}"}
    frames = [frame if frame.shape[2] == 3 else np.repeat(frame, 3, 2) for frame in found.frames]
    if target.suffix.lower() == ".mp4":
        save_film(target, [Image.fromarray(frame) for frame in frames], max(1, round(clip.milliseconds)), text)
    else:
        ending = ".png" if target.suffix.lower() == ".apng" else target.suffix.lower()
        write_durably(target, encode_animation(frames, [clip.milliseconds] * len(frames), 0, ending, text))
    crops = find_free(target.with_name(f"{target.stem}-crops.png"))
    write_durably(crops, encode_picture(draw_crops(found, frames), ".png", text))
    return AnimatedFile(target, crops, found)


def find_clip(driving: str | Path) -> Clip:
    """The clip of a shipped name, such as "nod", or of a path. Raises: DataError: there is none, or it cannot be read."""
    path = find_path(str(driving))
    if str(driving) in emoji_clips.DRIVERS and not path.exists():
        return Clip(list(emoji_clips.load_driver(str(driving))), PACE)
    if not path.exists():
        shipped = ", ".join(emoji_clips.DRIVERS)
        raise DataError(f"{printable(driving)}: no such file; check the path, or name a clip that comes with ganvas: {shipped}")
    return read_clip(path)


def read_still(picture: str | Path) -> tuple[Array, list[str]]:
    """The picture in a file, uint8 [H, W, 3] on white, and what could not be kept. Raises: DataError: it cannot be read."""
    try:
        with silence_pillow(), open_input(find_path(str(picture))) as file:
            found = read_picture(file)
            return put_on_white(found.values), [f"{printable(picture)}: {note}" for note in found.notes]
    except UnreadableError as error:
        raise DataError(f"{printable(picture)}: {error}") from None


def draw_crops(found: Animated, frames: Sequence[Array], count: int = 6) -> Array:
    """The picture and some frames of the clip in a row, as the model got them; the output below. uint8 [H, W, 3]."""
    chosen = np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    empty = np.full_like(found.source, 255)
    rows = [[found.source, *(found.driving[k] for k in chosen)], [empty, *(frames[k] for k in chosen)]]
    whole = np.concatenate([np.concatenate(row, 1) for row in rows], 0)
    scale = legible_scale(found.source.shape[1])
    return whole.repeat(scale, 0).repeat(scale, 1)


def _choose_out(picture: str | Path, driving: str | Path, out: str | Path | None) -> Path:
    named = Path(out or "")
    if (folder := open_folder(out)) is not None:
        stem, clip = (re.sub(r"[^\w.-]+", "_", Path(each).stem)[:MOST_NAME] for each in (picture, driving))
        named = find_free(folder / f"{stem}-{clip}.gif")
    if named.suffix.lower() not in FILMS:
        raise UsageError(
            f"cannot write to {printable(named.name)!r}: expected a name ending in {', '.join(FILMS)}, {OR_FOLDER}"
        )
    require_other(named, {"the picture": picture, "the clip": driving})
    require_writable(named)
    return named

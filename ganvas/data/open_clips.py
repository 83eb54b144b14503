"""Open clips for a game that animates: the built-in ones, or those of the user."""

from __future__ import annotations

from collections.abc import Sequence

from ganvas.config import DataConfig
from ganvas.data.builtin import emoji_clips, puppets
from ganvas.data.builtin.embedded_files import fit_pictures
from ganvas.data.clips import ClipTable, make_clips
from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.folder_layout import BOTH
from ganvas.data.readers.numpy_arrays import array_pictures
from ganvas.data.table import fingerprint
from ganvas.errors import DataError


def open_puppets(
    config: DataConfig, needs: Sequence[str], resolution: int | None = None, channels: int | None = None
) -> ClipTable:
    """The puppets of `config.source`, with their joints. Raises: DataError: other fields than clips are needed."""
    require_clips(config.source, needs)
    frames, joints = puppets.load_puppets(config.source, config.split)
    lengths = [puppets.FRAMES] * puppets.COUNTS[config.split]
    frames = fit_pictures(frames, resolution or puppets.SIDE, channels)
    flip = config.flip and config.split == "train"
    seal = fingerprint({"driving": frames})
    return make_clips(config.source, frames, lengths, joints=joints, flip=flip, fingerprint=seal, splits=BOTH)


def open_emoji_clips(
    config: DataConfig, needs: Sequence[str], resolution: int | None = None, channels: int | None = None
) -> ClipTable:
    """The animated emoji. Raises: DataError: other fields than clips are needed."""
    require_clips(config.source, needs)
    frames = fit_pictures(emoji_clips.load_clips(config.split), resolution or emoji_clips.SIDE, channels)
    lengths = [emoji_clips.FRAMES] * (len(frames) // emoji_clips.FRAMES)
    flip = config.flip and config.split == "train"
    return make_clips(config.source, frames, lengths, flip=flip, fingerprint=fingerprint({"driving": frames}), splits=BOTH)


def require_clips(source: str, needs: Sequence[str]) -> None:
    """Raises: DataError: the game needs other fields than those of clips."""
    wanted = set(needs) - {"source", "driving", "label"}
    if wanted:
        raise DataError(f"{source} has clips, and no {' and '.join(sorted(wanted))}; choose other data, or a recipe motion-...")


def find_frames(source: str, split: str) -> DataSource:
    """All frames of built-in clips as pictures without classes, for games that draw and for `ganvas data`."""

    def load() -> ImageCollection:
        frames = emoji_clips.load_clips(split) if source == "emoji-clips" else puppets.load_puppets(source, split)[0]
        return array_pictures(frames.movedim(1, -1).contiguous().numpy(), None, (), f"built-in {source}", BOTH, usual=True)

    seal = emoji_clips.SHA256 if source == "emoji-clips" else f"version {puppets.VERSION}"
    return DataSource(f"built-in {source}", ((source, 0, 0), (seal, 0, 0)), load)

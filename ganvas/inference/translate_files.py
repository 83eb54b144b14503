"""Translate pictures, animations and films from files, folders and zips into files. A bad file is left out, and listed."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ganvas.data.images import silence_pillow
from ganvas.data.input_files import InputFile, InputFiles, find_inputs
from ganvas.data.table import Skipped
from ganvas.data.whole_picture import Animation, WholePicture, read_animation, read_picture
from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.output_names import FolderNames, choose_out, find_free, is_file
from ganvas.inference.picture_translation import Way, find_way, require_margin, require_strength, translate_along
from ganvas.inference.tiles import SIDE
from ganvas.inference.translation_notes import TranslationNotes
from ganvas.latents.seed_latents import SEEDS
from ganvas.media.animations import encode_animation
from ganvas.media.film_stream import change_film, read_short_film, require_video_extra
from ganvas.media.image_files import encode_picture
from ganvas.utils.files import disk_errors, make_folder, publish, require_writable, temporary_path, write_durably
from ganvas.utils.parsing import printable, require_count, spell_count

Array = npt.NDArray[Any]
Place = Callable[[str], Path]  # the ending of what is made -> where it goes
Progress = Callable[[str, int, int], None]  # what of, how many are done, how many in all (0: not known)
ANIMATION_ENDINGS = (".gif", ".png", ".webp")
NOT_TILEABLE = "tileable: expected pictures, found an animation or a film; leave it out"
NAME_ERRORS = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EILSEQ, errno.EINVAL)


@dataclass(frozen=True)
class Translated:
    """What was written, and what was not."""

    out: Path  # the file, or the folder
    about: str  # the direction: "flat > shaded"
    written: tuple[Path, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]  # what could not be kept, a sentence each

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        skipped = [{"file": each.name, "reason": each.reason} for each in self.skipped]
        facts = {"out": str(self.out), "direction": self.about, "written": [str(path) for path in self.written]}
        return {**facts, "skipped": skipped, "notes": list(self.notes)}


def translate_files(
    model: LoadedGame,
    inputs: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    to: str | None = None,
    strength: float = 1.0,
    seed: int = 0,
    tile: int = SIDE,
    back: bool = False,
    tileable: bool = False,
    progress: Progress | None = None,
) -> Translated:
    """Translate all pictures and films in `inputs`: files, folders, zips. Each keeps its size and its transparency.

    One picture becomes the file `out`, by default NAME-TO.png in this folder; several become a new folder, with subfolders
    and names kept, pictures as PNG. Animations keep times, loop and transparency; films become MP4 and keep times and sound.
    `back` writes the way back beside each of them. `tileable`: pictures whose opposite sides join still do. Files that are
    finished stay if the work is interrupted.

    Raises:
        UsageError: see `translate_one`; `out` exists, is inside an input, or has no ending that fits.
        DataError: nothing in `inputs` can be read.
        ResourceError: a file cannot be written.
    """
    way = find_way(model, to)
    require_strength(strength)
    require_count("seed", seed, 0, SEEDS - 1)
    if back and way.reverse() is None:
        raise UsageError(f"{model.name} has no way back from {way.target}; leave --back out")
    if tileable:
        require_margin(way)
    with silence_pillow():
        found = find_inputs(inputs)
        target = choose_out(found, inputs, out, way.target)
        job = _Job(model, way, target, strength, seed, tile, back, tileable, progress)
        return job.run_alone(found.files[0], inputs[0]) if is_file(found, target) else job.run_all(found)


@dataclass
class _Job:
    """One call of `translate_files`."""

    model: LoadedGame
    way: Way
    out: Path
    strength: float
    seed: int
    tile: int
    back: bool
    tileable: bool
    progress: Progress | None
    written: list[Path] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    names: FolderNames | None = None  # of the files in the folder `out`; None: it is one file

    def __post_init__(self) -> None:
        self.notes = TranslationNotes(self.model, self.way)

    def run_alone(self, file: InputFile, given: str | Path) -> Translated:
        """One picture, animation or film, which the user calls `given`, into the file `out`."""
        require_writable(self.out)
        try:
            self._translate(file, lambda _: self.out, tell=self.progress)
        except DataError as error:
            raise DataError(f"{printable(given)}: {error}") from None
        return self._report()

    def run_all(self, found: InputFiles) -> Translated:
        """Everything into the folder `out`."""
        self.skipped += found.skipped
        made = not self.out.exists()
        with disk_errors(f"cannot write {printable(self.out)}"):
            make_folder(self.out)
        self.names = FolderNames(file.name for file in found.files)
        for number, file in enumerate(found.files):
            try:
                self._translate(file, partial(self._place, file, self.names))
            except (DataError, UsageError) as error:
                self.skipped.append(Skipped(printable(file.name), str(error)))
            except ResourceError as error:
                if not _is_about_name(error):
                    raise
                self.skipped.append(Skipped(printable(file.name), str(error)))
            if self.progress:
                self.progress("files", number + 1, len(found.files))
        if not self.written:
            if made:
                with suppress(OSError):
                    self.out.rmdir()
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.skipped[:3])
            raise DataError(f"none of {spell_count(len(self.skipped), 'files')} could be translated ({reasons})")
        return self._report()

    def _place(self, file: InputFile, names: FolderNames, ending: str) -> Path:
        return self.out / names.choose(file.name, ending)

    def _place_back(self, target: Path) -> Path:
        """Where the way back from what is in `target` goes."""
        if self.names is None:
            return find_free(target.with_name(f"{target.stem}-back{target.suffix}"))
        return self.out / self.names.choose_beside(target.relative_to(self.out).as_posix(), "back")

    def _translate(self, file: InputFile, place: Place, tell: Progress | None = None) -> None:
        if file.is_film:
            if self.tileable:
                raise UsageError(NOT_TILEABLE)
            target = place(".mp4")
            if target.suffix.lower() in ANIMATION_ENDINGS:
                self._translate_animation(self._read_short_film(file, target), target, tell)
            else:
                self._translate_film(file, target, tell)
            return
        with file.open() as stream:
            animation = read_animation(stream)
            stream.seek(0)
            picture = read_picture(stream)
        if animation is not None and self.tileable:
            raise UsageError(NOT_TILEABLE)
        if animation is not None:
            target = place(animation.ending)
            if target.suffix.lower() in ANIMATION_ENDINGS:
                self._translate_animation(animation, target, tell)
                return
        self._translate_picture(file, picture, place(".png") if animation is None else target, tell)

    def _translate_picture(self, file: InputFile, picture: WholePicture, target: Path, tell: Progress | None) -> None:
        values, told = picture.values, partial(tell, "tiles") if tell else None
        self.notes.note_input(values)
        for way, place, text in self._passes(target):
            made = self._compute(values, way, told)
            if way is self.way:
                self.notes.note_picture(file.name, values, made, picture.notes, target)
            profile = picture.profile if made.shape[2] == picture.values.shape[2] else None
            self._write(place, _encode(made, place, text, profile))
            values = made

    def _translate_animation(self, animation: Animation, target: Path, tell: Progress | None) -> None:
        self.notes.note_input(animation.frames[0])
        frames = list(animation.frames)
        for way, place, text in self._passes(target):
            for number, frame in enumerate(frames):
                frames[number] = self._compute(frame, way)
                if tell:
                    tell("frames", number + 1, len(frames))
            data = encode_animation(frames, animation.durations, animation.loop, place.suffix.lower(), text)
            self._write(place, data)

    def _read_short_film(self, file: InputFile, target: Path) -> Animation:
        """A film that becomes an animation: all of its frames are in memory at once."""
        require_video_extra(file.name)
        with file.open() as stream:
            frames, duration, has_sound = read_short_film(stream)
        if has_sound:
            self.notes.add(file.name, [f"the sound is left out: {target.suffix} has none"])
        return Animation(frames, [duration] * len(frames), 0, target.suffix.lower())

    def _translate_film(self, file: InputFile, target: Path, tell: Progress | None) -> None:
        require_video_extra(file.name)
        ways: list[Way] = []
        for way, place, text in self._passes(target):
            ways.append(way)  # the way back starts from the film itself: what was written has lost some of its colors
            notes = self._change_film(file, place, tuple(ways), text, tell)
        self.notes.add(file.name, notes)

    def _change_film(
        self, file: InputFile, target: Path, ways: Sequence[Way], text: Mapping[str, str], tell: Progress | None
    ) -> Sequence[str]:
        """Write a film whose frames went all these ways, one after the other -> what could not be kept."""
        doing = f"cannot write {printable(target)}"
        with disk_errors(doing):
            make_folder(target.parent)
        temporary = temporary_path(target.parent)

        def change(pixels: Array) -> Array:
            for way in ways:
                pixels = self._compute(pixels, way)
            return pixels if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, 2)

        try:
            with file.open() as source:
                with disk_errors(doing):
                    stream = temporary.open("xb")
                with stream:
                    told = partial(tell, "frames") if tell else None
                    film = change_film(source, stream, change, target.suffix.lower(), text, told)
            with disk_errors(doing):
                publish(temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink()
        self.written.append(target)
        return film.notes

    def _passes(self, target: Path) -> Iterator[tuple[Way, Path, dict[str, str]]]:
        """The way there, and if it was asked for the way back from there: where each goes, and what is noted in the file."""
        text = self._provenance()
        yield self.way, target, text
        reverse = self.way.reverse() if self.back else None
        if reverse:
            there = f"{self.way.about} > {reverse.target}"
            yield reverse, self._place_back(target), text | {"direction": there}

    def _compute(self, values: Array, way: Way, progress: Callable[[int, int], None] | None = None) -> Array:
        return translate_along(
            way, values, strength=self.strength, seed=self.seed, tile=self.tile, tileable=self.tileable, progress=progress
        )

    def _write(self, target: Path, data: bytes) -> None:
        """Write a file: complete or not at all."""
        with disk_errors(f"cannot write {printable(target)}"):
            make_folder(target.parent)
        write_durably(target, data)
        self.written.append(target)

    def _provenance(self) -> dict[str, str]:
        more = {"direction": self.way.about} | ({"strength": f"{self.strength:g}"} if self.strength != 1 else {})
        return self.model.provenance(str(self.seed)) | more

    def _report(self) -> Translated:
        return Translated(self.out, self.way.about, tuple(self.written), tuple(self.skipped), self.notes.list_all())


def _encode(values: Array, target: Path, text: Mapping[str, str], profile: bytes | None) -> bytes:
    ending = target.suffix.lower()
    if ending == ".gif":
        return encode_animation([values], [0], None, ending, text)
    return encode_picture(values, ending, text, profile)


def _is_about_name(error: GanvasError) -> bool:
    """Whether a file could not be written because of its name, or of memory: others can."""
    cause = error.__cause__
    return "out of memory" in str(error) or (isinstance(cause, OSError) and cause.errno in NAME_ERRORS)

"""Change the frames of a film, one at a time: number and times of the frames and the sound stay. Needs the extra `video`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ganvas.errors import DataError, UsageError
from ganvas.utils.parsing import printable

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

Array = npt.NDArray[Any]
Change = Callable[[Array], Array]  # uint8 [H, W, 3] -> uint8 [H', W', 3], always of one size
CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}  # that can be written
FILM_SUFFIXES = (*CONTAINERS, ".m4v", ".webm", ".avi", ".mpg", ".mpeg", ".ogv")
# Only films: a playlist would make FFmpeg open other files and addresses.
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv"
MOST_PIXELS = 64_000_000  # of a frame
MOST_BYTES = 1_000_000_000  # of all frames that are read at once
MOST_FRAMES = 1_000  # of a film that becomes a GIF or the like
USUAL_DURATION = 40.0  # milliseconds of a frame, if the film does not say
LARGE = 720  # lines: films of so many have the colors of ITU-R BT.709, smaller ones those of BT.601
QUALITY = {"crf": "18"}  # visually almost lossless


@dataclass(frozen=True)
class Film:
    """What was written."""

    frames: int
    notes: tuple[str, ...]  # what could not be kept, for the user


def require_video_extra(name: str) -> None:
    """Raises: UsageError: the extra `video` is not installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        raise UsageError(f"{printable(name)}: films need an extra: pip install 'ganvas[video]'") from None


def change_film(
    source: IO[bytes],
    target: IO[bytes],
    change: Change,
    ending: str,
    text: Mapping[str, str],
    progress: Callable[[int, int], None] | None = None,
) -> Film:
    """Write the film in `source` with changed frames to `target`, as H.264 in a file of this ending: ".mp4", ".mov", ".mkv".

    Each frame keeps its time, also in a film whose rate varies. Sound is copied without decoding. `progress` gets the number
    of frames so far, and how many the file announces, 0 if it does not.

    Raises:
        DataError: it is no film, is damaged, or its sound does not fit into such a file.
    """
    import av

    with _reading(), av.open(source, "r", options={"format_whitelist": DEMUXERS}, metadata_errors="replace") as reader:
        if not reader.streams.video:
            raise DataError("a film without pictures; expected frames")
        video = reader.streams.video[0]
        if video.width * video.height > MOST_PIXELS:
            raise DataError(f"frames of {video.width} x {video.height}; expected at most {MOST_PIXELS:,} pixels")
        video.thread_type = "AUTO"
        with av.open(target, "w", format=CONTAINERS[ending]) as writer:
            return _Copy(reader, writer, change, text, progress).run()


def read_film(source: IO[bytes], most: int) -> tuple[list[Array], float]:
    """The first `most` frames of a film, uint8 [H, W, 3] each, and the milliseconds of a frame, 0 if nothing says so.

    Raises:
        DataError: it is no film, or is damaged before the first frame.
    """
    import av

    frames: list[Array] = []
    with _reading(), av.open(source, "r", options={"format_whitelist": DEMUXERS}, metadata_errors="replace") as reader:
        if not reader.streams.video:
            raise DataError("a film without pictures; expected frames")
        video = reader.streams.video[0]
        if video.width * video.height > MOST_PIXELS:
            raise DataError(f"frames of {video.width} x {video.height}; expected at most {MOST_PIXELS:,} pixels")
        rate = float(video.average_rate or 0)
        for frame in reader.decode(video):
            turns = round(frame.rotation / 90) % 4  # as players do with a film of a phone
            frames.append(np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns)))
            if len(frames) == most or len(frames) * frames[0].size > MOST_BYTES:
                break
    if not frames:
        raise DataError("a film without frames; expected at least one")
    return frames, 1000 / rate if rate else 0.0


def read_short_film(source: IO[bytes]) -> tuple[list[Array], float, bool]:
    """All frames of a short film, uint8 [H, W, 3] each, the milliseconds of a frame, and whether it has sound.

    Raises:
        DataError: as `read_film`, or it is too long to be read at once.
    """
    import av

    frames, duration = read_film(source, MOST_FRAMES + 1)
    if len(frames) > MOST_FRAMES or len(frames) * frames[0].size > MOST_BYTES:
        many = f"at most {MOST_FRAMES:,} frames and {MOST_BYTES:,} bytes of them"
        raise DataError(f"too long for a GIF, WebP or PNG: expected {many}; choose a name ending in .mp4, or cut the film")
    source.seek(0)
    with _reading(), av.open(source, "r", options={"format_whitelist": DEMUXERS}, metadata_errors="replace") as reader:
        return frames, duration or USUAL_DURATION, bool(reader.streams.audio)


class _Copy:
    """One film on its way."""

    def __init__(
        self,
        reader: InputContainer,
        writer: OutputContainer,
        change: Change,
        text: Mapping[str, str],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.reader, self.writer, self.change, self.progress = reader, writer, change, progress
        writer.metadata["comment"] = json.dumps(dict(text))
        self.video = reader.streams.video[0]
        self.sounds: dict[int, Any] = {}  # index in the reader -> stream in the writer
        self.waiting: list[Any] = []  # packets of sound before the first frame: the file begins with all streams
        self.out: Any = None
        self.count, self.damaged = 0, 0
        self.last: int | None = None
        self.notes: list[str] = []

    def run(self) -> Film:
        """Copy all of it."""
        for packet in self.reader.demux(self.video, *self.reader.streams.audio):
            if packet.stream.type == "audio":
                if packet.dts is not None:
                    self._mux_sound(packet)
                continue
            for frame in self._decode(packet):
                self._add_frame(frame)
        if not self.count:
            raise DataError("a film without frames; expected at least one")
        self.writer.mux(self.out.encode())
        announced = self._announced()
        if self.damaged or (announced and announced != self.count):
            self.notes.append(f"{self.count:,} frames could be read, of {announced or self.count + self.damaged:,}")
        return Film(self.count, tuple(self.notes))

    def _add_sound(self, sound: Any) -> Any:
        try:
            return self.writer.add_stream_from_template(sound)
        except ValueError as error:
            raise DataError(
                f"its sound ({sound.codec_context.name}) does not fit into such a file ({printable(error, 80)}); "
                "choose a name ending in .mkv"
            ) from None

    def _mux_sound(self, packet: Any) -> None:
        if self.out is None:
            self.waiting.append(packet)
        else:
            packet.stream = self.sounds[packet.stream.index]
            self.writer.mux(packet)

    def _decode(self, packet: Any) -> list[Any]:
        import av

        try:
            return list(packet.decode())
        except av.error.InvalidDataError:
            self.damaged += 1
            return []

    def _add_frame(self, frame: Any) -> None:
        import av

        turns = round(frame.rotation / 90) % 4
        pixels = np.rot90(frame.to_ndarray(format="rgb24"), turns)  # what players do with a film of a phone
        made = self.change(np.ascontiguousarray(pixels))
        height, width = (side - side % 2 for side in made.shape[:2])
        if self.out is None:
            self._begin(frame, made.shape, turned=turns % 2 == 1)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(made[:height, :width]), format="rgb24")
        space = "ITU709" if height >= LARGE else "ITU601"
        picture = picture.reformat(format="yuv420p", dst_colorspace=space)
        pts = frame.pts if frame.pts is not None else (self.last if self.last is not None else -1) + 1
        if self.last is not None and pts <= self.last:
            pts = self.last + 1  # two frames of one time: both stay
        picture.pts, picture.time_base, self.last = pts, frame.time_base or self.video.time_base, pts
        picture.duration = frame.duration
        self.writer.mux(self.out.encode(picture))
        self.count += 1
        if self.progress:
            self.progress(self.count, self._announced())

    def _announced(self) -> int:
        """How many frames the file says that it has; 0: not known. An AVI counts pauses too."""
        return self.video.frames if self.reader.format.name.startswith("mov") else 0

    def _begin(self, frame: Any, shape: tuple[int, ...], *, turned: bool) -> None:
        """Begin the file: now the size of the frames is known. The pictures are its first stream, as in most films."""
        from av.video.reformatter import Colorspace

        height, width = (side - side % 2 for side in shape[:2])
        if not height or not width:
            raise DataError(f"frames of {shape[1]} x {shape[0]}; expected at least 2 x 2 pixels")
        if (height, width) != shape[:2]:
            self.notes.append(f"{shape[1]} x {shape[0]} became {width} x {height}: H.264 has even sides")
        out = self.writer.add_stream(
            "libx264", rate=self.video.average_rate or self.video.guessed_rate or 25, options=dict(QUALITY)
        )
        out.width, out.height, out.pix_fmt = width, height, "yuv420p"
        context = out.codec_context
        context.time_base = frame.time_base or self.video.time_base or Fraction(1, 25)
        ratio = self.video.sample_aspect_ratio
        if ratio and ratio != 1:
            context.sample_aspect_ratio = 1 / ratio if turned else ratio
        context.colorspace = Colorspace.ITU709 if height >= LARGE else Colorspace.ITU601
        self.out = out
        self.sounds = {sound.index: self._add_sound(sound) for sound in self.reader.streams.audio}
        for packet in self.waiting:
            self._mux_sound(packet)
        self.waiting.clear()


@contextmanager
def _reading() -> Iterator[None]:
    """Errors of FFmpeg as one line. What `change` raises passes."""
    import av

    try:
        yield
    except av.error.FFmpegError as error:
        raise DataError(f"not a readable film: {printable(error.strerror or error, 120)}") from None

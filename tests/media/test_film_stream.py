"""Films with changed frames: their number, times and sound stay. Files that are no films are one line."""

from __future__ import annotations

import builtins
import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from ganvas.errors import DataError, UsageError
from ganvas.media.film_stream import change_film, require_video_extra

av = pytest.importorskip("av")
TIMES = (0, 10, 50, 200, 210, 400, 1000, 1040, 1080, 1120)  # milliseconds


def film(times: Sequence[int] = TIMES, size: tuple[int, int] = (32, 24), sound: str | None = "aac") -> io.BytesIO:
    """A film of frames that become brighter, with a tone."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1_000)
        audio = container.add_stream(sound, rate=16_000) if sound else None
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 20 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1_000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio:
            for start in range(0, 16_000, 1_024):
                tone = np.sin(np.arange(start, start + 1_024, dtype=np.float32) / 9)[None]
                part = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                part.rate, part.pts, part.time_base = 16_000, start, Fraction(1, 16_000)
                container.mux(audio.encode(part))
            container.mux(audio.encode())
    file.seek(0)
    return file


def times_of(file: io.BytesIO) -> list[int]:
    """The time of each frame in milliseconds."""
    file.seek(0)
    with av.open(file) as container:
        return [round(1_000 * frame.time) for frame in container.decode(video=0)]


def sound_of(file: io.BytesIO) -> bytes:
    """The sound as it is packed."""
    file.seek(0)
    with av.open(file) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


def changed(source: io.BytesIO, change: Any, ending: str = ".mp4") -> tuple[io.BytesIO, Any]:
    """The new film, and what is said about it."""
    target = io.BytesIO()
    found = change_film(source, target, change, ending, {"model": "x"})
    return target, found


def test_frames_times_and_sound_stay() -> None:
    source = film()
    target, found = changed(source, lambda pixels: 255 - pixels)
    assert (found.frames, found.notes) == (len(TIMES), ())
    target.seek(0)
    with av.open(target) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"], "as players and other programs expect"
    assert times_of(target) == list(TIMES) == times_of(source)
    assert sound_of(target) == sound_of(source) != b""
    target.seek(0)
    with av.open(target) as container:
        assert container.metadata["comment"] == '{"model": "x"}'
        levels = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    assert np.abs(np.array(levels) - [255 - 20 * i for i in range(len(TIMES))]).max() < 4


@pytest.mark.parametrize("ending", [".mov", ".mkv"])
def test_other_endings(ending: str) -> None:
    source = film()
    target, found = changed(source, lambda pixels: pixels, ending)
    assert found.frames == len(TIMES)
    assert np.diff(times_of(target)).tolist() == np.diff(TIMES).tolist()
    assert sound_of(target) == sound_of(source)


def test_a_film_without_sound_and_of_another_size() -> None:
    target, found = changed(film(sound=None), lambda pixels: np.repeat(np.repeat(pixels, 2, 0), 2, 1))
    target.seek(0)
    with av.open(target) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)
        assert not container.streams.audio
    assert found.notes == ()


def test_odd_sides_are_told() -> None:
    _, found = changed(film(), lambda pixels: pixels[:23, :31])
    assert found.notes == ("31 x 23 became 30 x 22: H.264 has even sides",)


def test_errors_of_the_change_pass() -> None:
    def change(_pixels: Any) -> Any:
        raise UsageError("mine")

    with pytest.raises(UsageError, match="mine"):
        changed(film(), change)


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("data", [b"", b"hello", PLAYLIST, b"ffconcat version 1.0\nfile '/etc/passwd'\n", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_film_is_one_line(data: bytes) -> None:
    with pytest.raises(DataError, match="not a readable film"):
        changed(io.BytesIO(data), lambda pixels: pixels)


def test_a_truncated_film_is_one_line() -> None:
    data = film().getvalue()
    with pytest.raises(DataError, match="not a readable film"):
        changed(io.BytesIO(data[: len(data) // 2]), lambda pixels: pixels)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_video_extra("x.mp4")
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"x.mp4: films need an extra: pip install 'ganvas\[video\]'"):
        require_video_extra("x.mp4")

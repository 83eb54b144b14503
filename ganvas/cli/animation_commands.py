"""The command of a model that lets a picture move: `animate`."""

from __future__ import annotations

import json as json_
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.arguments import Running, RunPath, report_doubts
from ganvas.errors import UsageError
from ganvas.utils.parsing import printable


def animate(
    run: RunPath,
    picture: str,
    *more: Annotated[str, Parameter(show=False)],
    driving: str,
    out: str | None = None,
    absolute: Annotated[bool, Parameter(negative="")] = False,
    running: Running = Running(),
) -> None:
    """Let a picture move as a clip does, with a motion model. Frames count from 1 in the text, and from 0 with --json.

    Parameters
    ----------
    picture
        A picture of the object; of an animation the first frame. The square with the object is cut out; NAME-crops.png beside
        the output (or NAME-crops-2.png, ... if that exists) shows it.
    driving
        The clip: a .gif, .png or .webp with several frames, a film, a folder of frames, or one of the six that come with
        ganvas: sway, reel, nod, roar, wave, bounce. The first 1,000 frames are read.
    out
        A file (.gif, .png, .apng, .webp, .mp4), an existing folder, or a new one as DIR/. The default is a new name in this
        folder, PICTURE-CLIP.gif.
    absolute
        Take the poses of the clip as they are, instead of its motion since the frame that fits the picture best.
    """
    if more:
        raise UsageError(f"one picture at a time: run the command again for {', '.join(map(printable, more[:3]))}")
    from ganvas.inference.animate_files import animate_file
    from ganvas.inference.model import load

    found = animate_file(load(run, running.device), picture, driving, out, absolute=absolute, advice="leave --absolute out")
    report_doubts(found.result.notes, [], quiet=running.quiet)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        frames, (of_picture, of_clip) = len(found.result.frames), found.result.crops
        motion = "absolute motion" if absolute else f"motion since frame {(found.result.start or 0) + 1}"
        largest = f", {max(found.result.motion):.2f} of the largest of the training" if found.result.motion else ""
        print(f"{printable(found.out)} ({frames} frames, {motion}{largest})")
        print(f"{printable(found.crops)} (picture: {of_picture.text()}; clip: {of_clip.text()})")

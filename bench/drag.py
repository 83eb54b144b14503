"""Drag: how many random drags end at their targets, by the tracker and by two measures that it knows nothing of.

    python bench/drag.py RUN [--drags 50] [--seed 0] [--mask 12] [--sheet FILE.png]

A drag takes a handle of the object, not of the ground: a pixel that differs from the median of the picture's border by more
than a quarter of the range, with a corner around it that is above the median of the object (the smaller eigenvalue of the
structure tensor), as flat places cannot be told apart. It goes 6 to 10 pixels in a random direction within the picture. Where
it ended is measured

- by the tracker of the drag (`own`);
- by the tracker in the last layer, which the drag does not look at, from step to step (`other`);
- by the pixels alone (`pixels`), which the drag does not look at: the place in the last picture that looks most like the
  surroundings of the handle in the first (`point_tracking.find_by_pixels`). Both pictures are drawn with noise inputs of 0, as
  noise stays in its place whatever moves, and so holds a texture there.

With `--mask` each drag is made again with a mask, which is white so many pixels around the way and black elsewhere. `kept` is
how much the black part changed, as the mean over its pixels in levels of 255, without the mask and with it.

Prints a JSON row for each drag, and the sums: the share within 2 pixels, the median distance, seconds by the clock and of a
core (which other work does not lengthen), reasons.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.editing.drag import KNOWN_BY, Drag, drag
from ganvas.editing.point_tracking import look_around, track
from ganvas.inference.model import Model, load
from ganvas.media.grid import arrange_pictures, legible_scale, make_grid
from ganvas.media.marks import mark_ways

SHORTEST, LONGEST = 6, 10  # pixels of a drag
NEAR = 2.0  # pixels from the target
OBJECT = 0.5  # of the 2 between black and white: how much a pixel of the object differs from the ground
MARGIN = 2  # pixels of the border that hold neither handle nor target
FEWEST = 40  # pixels of an object
SHOWN, COLUMNS = 12, 8  # drags on the sheet, and its pictures in a row


def main() -> None:
    """Drag samples of the model that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--drags", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the first sample, and of handles and targets")
    parser.add_argument("--mask", type=float, help="pixels around the way that may move")
    parser.add_argument("--sheet", type=Path, help="a picture of the first 12 drags")
    asked = parser.parse_args()
    model, rows, shown, seed = load(asked.run), list[dict[str, Any]](), list[Drag](), asked.seed
    random = torch.Generator().manual_seed(asked.seed)
    while len(rows) < asked.drags:
        way = choose_way(next(model.stream(1, seed))[0][0], random)
        if way is not None:  # else there is nothing to take hold of
            started, worked = time.perf_counter(), time.process_time()
            found = drag(model, seed, [way[0]], [way[1]])
            times = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - worked}
            row = {"seed": seed, "from": way[0], "to": way[1], **{key: round(each, 2) for key, each in times.items()}}
            rows.append(row | measure(model, found))
            if asked.mask:
                mask = draw_mask(found, asked.mask)
                held = drag(model, seed, [way[0]], [way[1]], mask)
                rows[-1]["kept"] = [round(measure_change(each, ~torch.from_numpy(mask)), 2) for each in (found, held)]
                rows[-1]["masked"] = {"own": round(held.distances[0], 2), "reason": held.reason}
            shown += [found] if len(shown) < SHOWN else []
            print(json.dumps(rows[-1]), flush=True)
        seed += 1
    print(json.dumps({"model": model.name, "drags": len(rows)} | summarize(rows)))
    if asked.sheet:
        save_sheet(shown, asked.sheet)


def choose_way(picture: Tensor, random: torch.Generator) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """A picture [C, H, W] -> a handle of its object and a target; None: there is too little of an object."""
    side = picture.shape[-1]
    border = torch.cat([picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1]], 1)
    inner = torch.zeros(side, side, dtype=torch.bool)
    inner[MARGIN : side - MARGIN, MARGIN : side - MARGIN] = True
    object_ = inner & ((picture - border.median(1).values[:, None, None]).abs().amax(0) > OBJECT)
    if object_.sum() < FEWEST:
        return None
    corners = find_corners(picture)
    places = (object_ & (corners >= corners[object_].median())).nonzero()
    y, x = places[torch.randint(len(places), (), generator=random)].tolist()
    while True:
        turn, length = torch.rand(2, generator=random).tolist()
        length = SHORTEST + (LONGEST - SHORTEST) * length
        target = round(x + length * math.cos(2 * math.pi * turn)), round(y + length * math.sin(2 * math.pi * turn))
        inside = all(MARGIN <= each < side - MARGIN for each in target)
        if inside and SHORTEST <= math.dist((x, y), target) <= LONGEST:
            return (x, y), target


def find_corners(picture: Tensor) -> Tensor:
    """A picture [C, H, W] -> the smaller eigenvalue of the structure tensor around each pixel [H, W] (Shi and Tomasi)."""
    grey = F.pad(picture.mean(0)[None, None], (1, 1, 1, 1), mode="replicate")
    across, down = grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2], grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]
    a, b, c = (F.avg_pool2d(each, 5, 1, 2)[0, 0] for each in (across * across, across * down, down * down))
    return (a + c) / 2 - (((a - c) / 2).square() + b.square()).sqrt()


def measure(model: Model, found: Drag) -> dict[str, Any]:
    """How far from the target the handle ended, by each measure; why, and after how many steps."""
    target = found.targets[0]
    places = {"own": found.paths[-1, 0], "other": track_in_another_layer(model, found), "pixels": found.seen[0]}
    distances = {name: round(float((place - target).norm()), 2) for name, place in places.items()}
    return {"distance": distances, "reason": found.reason, "steps": found.steps}


def draw_mask(found: Drag, radius: float) -> npt.NDArray[np.bool_]:
    """Whether a pixel [H, W] is within `radius` of the straight way of the handle."""
    line = torch.arange(float(found.film.shape[-1]))
    places = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)  # [H, W, 2] (x, y)
    way = torch.linspace(0, 1, 50)[:, None] * (found.targets[0] - found.paths[0, 0]) + found.paths[0, 0]
    near: npt.NDArray[np.bool_] = ((places[:, :, None] - way).norm(dim=3).amin(2) <= radius).numpy()
    return near


def measure_change(found: Drag, black: Tensor) -> float:
    """The mean difference of the pixels [H, W] that are True, between the first and the last picture, in levels of 255."""
    return float((found.film[-1] - found.film[0]).abs().mean(0)[black].mean()) * 127.5


def track_in_another_layer(model: Model, found: Drag) -> Tensor:
    """Where the handle ended [2], followed from step to step by the features of the last layer."""
    game: Any = model.drawer
    layer, points, known = len(game.layer_sides) - 1, found.paths[0], None
    noise = make_zeros(model, 1)
    for code in found.codes:
        with torch.no_grad():
            features = next(itertools.islice(game.synthesize_features(code[None].to(model.device), noise), layer, None)).cpu()
        if known is None:
            known = look_around(features, points, max(1, model.shape[-1] // KNOWN_BY))
        points, _ = track(features, known, points)
    return points[0]


def make_zeros(model: Model, n: int) -> list[Tensor]:
    """Noise of 0 for each layer."""
    game: Any = model.drawer
    return [torch.zeros(n, 1, side, side, device=model.device) for side in game.layer_sides]


def summarize(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The share within `NEAR` pixels and the median distance by each measure; seconds; why the drags ended."""
    found: dict[str, Any] = {}
    for name in rows[0]["distance"]:
        distances = [row["distance"][name] for row in rows]
        found[name] = {"near": sum(each <= NEAR for each in distances) / len(rows), "median": statistics.median(distances)}
    for name in ("seconds", "cpu"):
        times = [row[name] for row in rows]
        found[name] = {"median": statistics.median(times), "largest": max(times)}
    if "kept" in rows[0]:
        kept = [statistics.median(row["kept"][i] for row in rows) for i in (0, 1)]
        near = sum(row["masked"]["own"] <= NEAR for row in rows) / len(rows)
        reasons = dict(Counter(row["masked"]["reason"] for row in rows))
        found["masked"] = {"kept": kept, "own": near, "reasons": reasons}
    return found | {"reasons": dict(Counter(row["reason"] for row in rows))}


def save_sheet(shown: Sequence[Drag], path: Path) -> None:
    """The first and the last picture of each drag, with the handle and the target."""
    scale = 2 * legible_scale(shown[0].film.shape[-1])
    pictures = [
        mark_ways(make_grid(found.film[step][None], 1, scale, 0), scale, found.paths[step].tolist(), found.targets.tolist())
        for found in shown
        for step in (0, -1)
    ]
    arrange_pictures(pictures, COLUMNS).save(path)


if __name__ == "__main__":
    main()

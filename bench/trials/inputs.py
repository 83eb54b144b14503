"""Mutated pictures, arrays, tables and archives: read, or refused in one line, within 600 MB and 10 seconds each."""

from __future__ import annotations

import gzip
import io
import shutil
import signal
import time
import warnings
import zipfile
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.errors import GanvasError
from trials.common import Tally, chance, fork, wait, workplace
from trials.damage import damage

MEGABYTES, SECONDS = 600, 10
BATCH = 100  # trials of one child


def run(seeds: range, until: float) -> Tally:
    """One mutated input for each seed, in children of a hundred trials."""
    tally, start = Tally("inputs"), time.monotonic()
    with workplace() as place:
        originals = _make_originals()
        for first in range(seeds.start, seeds.stop, BATCH):
            if time.monotonic() > until:
                break
            part, told = range(first, min(seeds.stop, first + BATCH)), place / "told"
            told.write_text("")
            code = wait(fork(partial(_try_all, part, originals, place, told), place / "report"), SECONDS * BATCH)
            lines = [line.partition("\t") for line in told.read_text().splitlines()]
            for seed, _, text in lines:
                if text.startswith("!"):
                    tally.fail(int(seed), text[1:])
                else:
                    tally.note(text)
            if code:
                reason = (place / "report").read_text() if (place / "report").exists() else "no message"
                tally.fail(first + len(lines), f"the process ended with {code}: {reason}")
            tally.done += len(lines)
    tally.seconds = time.monotonic() - start
    return tally


def _make_originals() -> list[tuple[str, bytes]]:
    """Small inputs of every kind that is read, by file name."""
    random, found = np.random.default_rng(0), []
    picture = Image.fromarray(random.integers(0, 255, (40, 50, 3), dtype=np.uint8))
    for name, kind, changed in (
        ("a.png", "PNG", picture),
        ("b.jpg", "JPEG", picture),
        ("c.gif", "GIF", picture.convert("P")),
        ("d.bmp", "BMP", picture),
        ("e.webp", "WEBP", picture),
        ("f.tif", "TIFF", picture.convert("I;16")),
        ("g.png", "PNG", picture.convert("1")),
        ("h.png", "PNG", picture.convert("RGBA")),
    ):
        file = io.BytesIO()
        changed.save(file, kind)
        found.append((name, file.getvalue()))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for i in range(4):
            zipped.writestr(f"{'cats' if i % 2 else 'dogs'}/{i}.png", found[0][1])
        zipped.writestr("dataset.json", '{"labels": [["cats/1.png", 0], ["dogs/2.png", 1]]}')
    images = random.integers(0, 255, (30, 12, 12), dtype=np.uint8)
    arrays, one, points = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez_compressed(arrays, images=images[..., None], labels=np.arange(30) % 3)
    np.save(one, images)
    np.save(points, random.normal(size=(200, 2)).astype(np.float32))
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape)
    table = "x,y\n" + "".join(f"{x:.4f},{y:.4f}\n" for x, y in random.normal(size=(100, 2)))
    return [
        *found,
        ("z.zip", archive.getvalue()),
        ("n.npz", arrays.getvalue()),
        ("o.npy", one.getvalue()),
        ("p.npy", points.getvalue()),
        ("train-images-idx3-ubyte", header + images.tobytes()),
        ("train-images-idx3-ubyte.gz", gzip.compress(header + images.tobytes())),
        ("t.csv", table.encode()),
        ("w.txt", "\n".join(f"name{i}" for i in range(100)).encode()),
    ]


def _try_all(seeds: range, originals: list[tuple[str, bytes]], place: Path, told: Path) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    warnings.simplefilter("ignore")
    with told.open("a", buffering=1) as out:
        for seed in seeds:
            out.write(f"{seed}\t{_try(seed, originals, place)}\n")


def _try(seed: int, originals: list[tuple[str, bytes]], place: Path) -> str:
    """What became of one mutated input: "read", "refused", or "!" and what was wrong."""
    random: Random = chance("inputs", seed)
    name, data = random.choice(originals)
    kinds = []
    for _ in range(random.choice((1, 1, 2, 5))):
        kind, data = damage(data, random)
        kinds.append(kind)
    folder = place / f"input-{seed}"
    folder.mkdir()
    (folder / name).write_bytes(data)
    picture = Path(name).suffix in (".png", ".jpg", ".gif", ".bmp", ".webp", ".tif")
    if picture:  # beside one that is whole
        (folder / "whole.png").write_bytes(originals[0][1])
    what, before = f"{name} ({', '.join(kinds)})", _reset_peak()
    signal.alarm(SECONDS)
    try:
        source = DataConfig(source=str(folder if picture else folder / name))
        data_set = open_source(source, resolution=16 if picture else None)
        data_set.rows(torch.arange(min(4, len(data_set))))
        result = "read"
    except GanvasError as refusal:
        text = str(refusal)
        result = "refused" if " ".join(text.split()).isprintable() else f"!{what}: told {text[:200]!r}"
    except TimeoutError:
        result = f"!{what}: took longer than {SECONDS} s"
    except Exception as bug:
        result = f"!{what}: {' '.join(repr(bug).split())[:300]}"
    finally:
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)
    if (used := _peak() - before) > MEGABYTES:
        result = f"!{what}: took {used:,.0f} MB"
    return result


def _reset_peak() -> float:
    """Forget the largest memory of this process so far; what it has now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

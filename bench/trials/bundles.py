"""Damaged bundles: every one is refused in one line, and none is loaded."""

from __future__ import annotations

import importlib
import sys
import time

from ganvas.errors import DataError
from ganvas.inference import model_file
from ganvas.inference.model import load
from trials.common import TESTS, Tally, chance, workplace
from trials.damage import FLIPS_AND_CUTS, damage

GAMES = ("gan-ring", "cgan-mnist", "vae-mnist", "textgan-names")


def run(seeds: range, until: float) -> Tally:
    """One damaged bundle of one of four games for each seed."""
    tally, start = Tally("bundles"), time.monotonic()
    sys.path.insert(0, TESTS)
    support = importlib.import_module("support")
    with workplace() as place:
        bundles = []
        for name in GAMES:
            model = support.miniature_model(name)
            model_file.save(place / f"{name}.safetensors", model.game, {**model.card, "items": 320})
            load(place / f"{name}.safetensors", "cpu", discriminator=True)
            both = (place / f"{name}.safetensors", model_file.discriminator_path(place / f"{name}.safetensors"))
            bundles.append([file.read_bytes() for file in both if file.exists()])
        path = place / "model.safetensors"
        paths = (path, model_file.discriminator_path(path))
        for seed in seeds:
            if time.monotonic() > until:
                break
            random = chance("bundles", seed)
            files = bundles[seed % len(bundles)]
            for file, data in zip(paths, files, strict=False):
                file.write_bytes(data)
            which = random.randrange(len(files))  # the bundle, or the discriminator beside it
            good, damaged = files[which], paths[which]
            head = 8 + int.from_bytes(good[:8], "little")
            if random.random() < 0.5:  # half of the damage to the header, which is a small part of the file
                kind, part = damage(good[:head], random)
                bad = part + (b"" if kind == "cut" else good[head:])
            else:
                kind, bad = damage(good, random)
            damaged.write_bytes(bad)
            try:
                load(path, "cpu", discriminator=True)
                tally.fail(seed, f"{kind}: loaded")
            except DataError as refusal:
                if not str(refusal).isprintable() or f"{damaged.name}: " not in str(refusal):
                    tally.fail(seed, f"{kind}: told {str(refusal)[:200]!r}")
                if kind in FLIPS_AND_CUTS:
                    tally.note("flips and cuts noticed")
            except Exception as bug:
                tally.fail(seed, f"{kind}: {bug!r}")
            tally.done += 1
    tally.seconds = time.monotonic() - start
    return tally

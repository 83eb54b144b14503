"""How often a trained classifier sees the class that was asked for in a conditional model's samples.

    ganvas train classifier-mnist --out runs/judge
    ganvas train cgan-mnist --seed 0 --out runs/cgan
    python bench/requested_digit.py runs/judge runs/cgan

Prints the share over 10,000 samples (1,000 a class, seeds 0-9999, rounded to bytes), its 95 % interval, the share by class,
and the Fréchet distance in the judge's features against the test set, with its floor: 10,000 training images against it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

from ganvas import bundle
from ganvas.config import DataConfig
from ganvas.data import open_source
from ganvas.export.pictures import to_bytes
from ganvas.game import Classifies
from ganvas.model import load

SAMPLES = 10_000


def judged(judge: Classifies, images: Tensor) -> tuple[Tensor, Tensor]:
    """uint8 images [N, C, H, W] -> classes [N], features [N, d] in float64."""
    with torch.no_grad():
        parts = [part.float() / 127.5 - 1 for part in images.split(500)]
        classes = torch.cat([judge.classify(part).argmax(1) for part in parts])
        return classes, torch.cat([judge.features(part) for part in parts]).double()


def frechet(a: Tensor, b: Tensor) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2). Source: arXiv:1706.08500 eq. 6."""
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross)


def main() -> None:
    """Judge each run named on the command line."""
    judge, card = bundle.load(Path(sys.argv[1]))
    if not isinstance(judge, Classifies):
        sys.exit(f"{sys.argv[1]} is no classifier; the first run named must be one")
    name = card["recipe"]["data"]["source"]
    test, train = (open_source(DataConfig(source=name, split=split)).fields["real"] for split in ("test", "train"))
    _, target = judged(judge, test)
    floor = frechet(judged(judge, train[:SAMPLES])[1], target)
    for run in map(Path, sys.argv[2:]):
        model = load(run)
        parts = list(model.stream(SAMPLES, seed=0, label="all"))
        asked = torch.cat([c for _, c in parts if c is not None])
        classes, features = judged(judge, torch.cat([to_bytes(part) for part, _ in parts]))
        right = (classes == asked).float()
        share = float(right.mean())
        row = {
            "run": str(run),
            "seconds": json.loads((run / "result.json").read_text())["seconds"],
            "requested_class": round(share, 4),
            "interval": round(1.96 * (share * (1 - share) / SAMPLES) ** 0.5, 4),
            "by_class": [round(float(right[asked == c].mean()), 3) for c in range(len(model.classes))],
            "distance": round(frechet(features, target), 3),
            "floor": round(floor, 3),
        }
        print(json.dumps(row))


if __name__ == "__main__":
    main()

"""A folder of your own pictures: what the recipe chosen for it reaches on seven sets of pictures.

    python bench/pictures.py EXPERIMENT DATASETS [--seeds 3] [--first 0] [--recipe R] [--from MODEL]
        [--minutes M | --images N] [--keep FOLDER]

DATASETS is the folder with emoji/, earth/ and photos/. Prints a JSON row for each seed, then mean and standard deviation.
With `--keep` the run folders stay there, with their sheets. Nothing else may run on the machine, unless the length is a number
of images: that which fifteen minutes make on the machine alone. `photos128` are the features
of the extra `photos` of pictures of 128 pixels instead of 224.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from runs_and_rows import print_rows

from ganvas.data.open import open_source
from ganvas.errors import DataError, GanvasError
from ganvas.evaluation.evaluate import evaluate
from ganvas.games.fastgan import FastGAN, shrink
from ganvas.inference.feature_extractors import Extractor, load_photos, load_pictures
from ganvas.inference.model import load
from ganvas.media.image_files import to_bytes
from ganvas.metrics.kernel_distance import polynomial_mmd
from ganvas.metrics.nearest_neighbours import k_nearest
from ganvas.training.api import train
from ganvas.training.doctor import diagnose

SIDE = 64


def emoji(datasets: Path, _: Path) -> Path:
    """The 1,396 pictures of Fluent, 3-D, in nine folders. There is no test split."""
    return datasets / "emoji" / "fluent-3d.zip"


def noto(datasets: Path, _: Path) -> Path:
    """As many of Noto, the same signs by another hand: for transfer, `--from` a run of `emoji`."""
    return datasets / "emoji" / "noto.zip"


def few(datasets: Path, folder: Path) -> Path:
    """200 of them, chosen by the hash of their name; the others are the test split."""
    with zipfile.ZipFile(emoji(datasets, folder)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
        names.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
        for number, name in enumerate(names):
            path = folder / ("train" if number < 200 else "test") / name.replace("/", "-")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(_on_white(archive.read(name)))
    return folder


def _on_white(data: bytes) -> bytes:
    picture, flat = Image.open(io.BytesIO(data)).convert("RGBA"), io.BytesIO()
    Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB").save(flat, "PNG")
    return flat.getvalue()


def earth(datasets: Path, folder: Path) -> Path:
    """Squares of satellite.jpg: the western quarter of the longitudes is the test split."""
    Image.MAX_IMAGE_PIXELS = None
    picture = Image.open(datasets / "earth" / "satellite.jpg").convert("RGB")
    _cut(picture.crop((0, 0, picture.width // 4, picture.height)), folder / "test", "west")
    _cut(picture.crop((picture.width // 4, 0, picture.width, picture.height)), folder / "train", "rest")
    return folder


def photos(datasets: Path, folder: Path) -> Path:
    """Squares of photographs with a shorter side of 400 pixels: the last six photographs are the test split."""
    paths = sorted((datasets / "photos").glob("*.jpg"))
    for number, path in enumerate(paths):
        photo = Image.open(path).convert("RGB")
        small = ImageOps.scale(photo, 400 / min(photo.size), Image.Resampling.BICUBIC)
        _cut(small, folder / ("test" if number >= len(paths) - 6 else "train"), path.stem)
    return folder


def _cut(picture: Image.Image, folder: Path, name: str) -> None:
    """Squares of `SIDE` pixels, side by side."""
    folder.mkdir(exist_ok=True)
    for top in range(0, picture.height - SIDE + 1, SIDE):
        for left in range(0, picture.width - SIDE + 1, SIDE):
            picture.crop((left, top, left + SIDE, top + SIDE)).save(folder / f"{name}-{top:04}-{left:04}.png")


@dataclass(frozen=True)
class Experiment:
    """A set of pictures, and the recipe that is measured on it."""

    make: Callable[[Path, Path], Path]
    recipe: str = "fastgan-images"
    minutes: float = 15
    side: int = SIDE
    metrics: tuple[str, ...] = ("kd", "fd", "precision", "recall")


SPLIT = ("kd", "fd", "precision", "recall", "memorisation")  # where there is a test split
EXPERIMENTS = {
    "emoji": Experiment(emoji),
    "noto": Experiment(noto),
    "categories": Experiment(emoji, "fastgan-images-conditional"),
    "earth": Experiment(earth, metrics=SPLIT),
    "photos": Experiment(photos, metrics=SPLIT),
    "few": Experiment(few, metrics=SPLIT),
    "large": Experiment(emoji, minutes=60, side=128),
}


def find_requested(run: Path, extractor: Extractor) -> dict[str, float]:
    """How often samples show the requested class: by their nearest training picture, and by a classifier of the pictures.

    The floors are those of the training pictures themselves: by the nearest other one, by the classifier that learned them, and
    by classifiers that each learned four fifths of them, on the others.
    The samples have the classes of the training pictures.
    """
    model = load(run)
    source = open_source(model.data_config(model.data_source(None, "data")), resolution=SIDE, channels=model.shape[0])
    reals, labels = source.fields["real"], source.fields["label"].long()
    bank, counts = extractor.features(reals), labels.bincount(minlength=len(source.classes)).tolist()
    made = [torch.cat([to_bytes(part) for part, _ in model.stream(n, label=c)]) for c, n in enumerate(counts)]
    features = extractor.features(torch.cat(made))
    wanted = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    classify = train_classifier(bank, labels)
    twins = k_nearest(bank, bank, 2)[1]
    others = torch.where(twins[:, 0] == torch.arange(len(bank)), twins[:, 1], twins[:, 0])
    shares = {
        "requested": labels[k_nearest(features, bank, 1)[1][:, 0]] == wanted,
        "floor:requested": labels[others] == labels,
        "classified": classify(features) == wanted,
        "floor:classified": classify(bank) == labels,
        "floor:unseen": classify_unseen(bank, labels) == labels,
    }
    return {name: round(right.double().mean().item(), 4) for name, right in shares.items()}


def classify_unseen(features: torch.Tensor, labels: torch.Tensor, folds: int = 5) -> torch.Tensor:
    """The classes [n] of the features [n, d] by classifiers that did not learn them."""
    fold = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1)) % folds
    found = torch.empty_like(labels)
    for i in range(folds):
        found[fold == i] = train_classifier(features[fold != i], labels[fold != i])(features[fold == i])
    return found


def train_classifier(features: torch.Tensor, labels: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """A classifier features [n, d] -> classes [n] with one hidden layer; 300 steps, with noise on normalized features."""
    random = torch.Generator().manual_seed(0)
    features = features.float()
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        hidden, dropout = torch.nn.Linear(features.shape[1], 512), torch.nn.Dropout(0.3)
        net = torch.nn.Sequential(hidden, torch.nn.ReLU(), dropout, torch.nn.Linear(512, int(labels.max()) + 1))
        optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
        for _ in range(300):
            rows = torch.randint(len(features), (256,), generator=random)
            seen = (features[rows] - mean) / deviation
            noisy = seen + 0.3 * torch.randn(seen.shape, generator=random)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(noisy), labels[rows], label_smoothing=0.05).backward()
            optimizer.step()
    net.eval()
    return lambda x: net((x.float() - mean) / deviation).argmax(1)


def measure_plain_distance(run: Path, extractor: Extractor, samples: int) -> dict[str, float]:
    """The kernel distance, times 1000, of features as they are, as papers have it; `ganvas eval` scales them to 1.

    The samples are compared with the test split, or with all pictures where there is none. `redrawn:` is the distance of those
    real pictures themselves, if G plays at a smaller side.
    """
    model = load(run)
    config = model.data_config(model.data_source(None, "data"))
    try:
        source = open_source(replace(config, split="test"), resolution=model.shape[-1], channels=model.shape[0])
    except DataError:
        source = open_source(config, resolution=model.shape[-1], channels=model.shape[0])
    made = torch.cat([to_bytes(part) for part, _ in model.stream(samples)])
    reals, name = extractor.features(source.fields["real"]), f"kd-plain-{extractor.name}"
    row = {name: round(1000 * polynomial_mmd(extractor.features(made), reals), 2)}
    if isinstance(model.game, FastGAN) and model.game.config.side < model.shape[-1]:
        redrawn = redraw_reals(model.game, source.fields["real"])
        row[f"redrawn:{name}"] = round(1000 * polynomial_mmd(extractor.features(redrawn), reals), 2)
    return row


@torch.no_grad()
def redraw_reals(game: FastGAN, pictures: torch.Tensor) -> torch.Tensor:
    """uint8 [N, C, H, W] -> the same, shrunk to the side of G and drawn again as its samples are: what G can reach at best."""
    made = []
    for part in pictures.split(100):
        small = shrink(part / 127.5 - 1, game.config.side)
        while small.shape[-1] < game.config.resolution:
            small = game.redraw(small)
        made.append(to_bytes(small))
    return torch.cat(made)


def measure_seeds(asked: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """The measures of each seed."""
    experiment = EXPERIMENTS[asked.experiment]
    (folder / "data").mkdir(exist_ok=True)
    data = experiment.make(asked.datasets, folder / "data")
    extractors = [load_pictures()]
    try:
        extractors.append(replace(load_photos(), name="photos128", side=128))
    except GanvasError as error:  # the extra is not installed
        print(f"# {error}", flush=True)
    recipe = asked.recipe or experiment.recipe
    length = {"images": asked.images} if asked.images else {"minutes": asked.minutes or experiment.minutes}
    for seed in range(asked.first, asked.first + asked.seeds):
        run = folder / f"{asked.experiment}-{recipe}-{seed}"
        settings = {"config.resolution": str(experiment.side)} | dict(text.split("=", 1) for text in asked.set)
        if not (run / "result.json").exists():  # else it was kept
            train(recipe, data=str(data), seed=seed, out=run, from_model=asked.begin, **length, **settings)
        result = json.loads((run / "result.json").read_text())
        row: dict[str, Any] = {"seed": seed, "images": result["items"], "seconds": round(result["seconds"], 1)}
        for extractor in extractors:
            report = evaluate(run, metrics=experiment.metrics, samples=asked.samples, network=extractor)
            for name, measure in report.measures.items():
                row[name] = round(measure.value, 4)
                if measure.floor is not None:
                    row[f"floor:{name}"] = round(measure.floor, 4)
            row |= measure_plain_distance(run, extractor, asked.samples)
            if report.memorisation:
                row["memorisation"] = report.memorisation.verdict
        if load(run).classes and "conditional" in recipe:
            row |= find_requested(run, extractors[0])
        yield row | {"doctor": [finding.name for finding in diagnose(run)]}


def main() -> None:
    """Run the experiment named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("datasets", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--recipe", help="another one, for comparison")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float)
    length.add_argument("--images", type=int)
    parser.add_argument("--from", type=Path, dest="begin", help="a run or a bundle to begin with (transfer)")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--set", nargs="*", default=[], help="settings of the recipe")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print_rows(measure_seeds(asked, folder), experiment=asked.experiment)


if __name__ == "__main__":
    main()

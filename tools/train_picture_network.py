"""Train the network for color pictures: `python tools/train_picture_network.py ../shared/datasets`.

It learns without names of things, from what belongs together: two drawings of one emoji by different hands, two views of one
place in a photograph or a satellite picture (contrastive learning). It also tells what was done to a picture, blurred it or
mixed two, because a measure of generated pictures must see that; and it names the category of an emoji.
Sources: van den Oord et al. 2018, arXiv:1807.03748 (InfoNCE); Chen et al. 2020, arXiv:2002.05709 (views).

Data: fluent-3d.zip, fluent-flat.zip (MIT), noto.zip (Apache-2.0), photographs (CC BY-SA and others), satellite.jpg and
relief.jpg (public domain). One emoji in ten, by its name, and the last six photographs are held out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import queue
import random
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ganvas.metrics.picture_network import FILE, SIDE, WIDTHS, PictureNetwork, Residual

STYLES = ("fluent-3d", "fluent-flat", "noto")
PLACES = 40  # instances of each batch that are places in photographs and on the earth; the others are emoji
DAMAGED = 64  # pictures of each batch that are damaged
DAMAGES = 8
TEMPERATURE = 0.15
HELD_OUT_PHOTOS = 6


def read_emoji(folder: Path) -> dict[str, list[Image.Image]]:
    """The drawings of each emoji by its name, category/code.png, RGBA with a margin of a quarter."""
    found: dict[str, list[Image.Image]] = {}
    for style in STYLES:
        with zipfile.ZipFile(folder / "emoji" / f"{style}.zip") as archive:
            for name in sorted(name for name in archive.namelist() if name.endswith(".png")):
                picture = Image.open(io.BytesIO(archive.read(name))).convert("RGBA")
                found.setdefault(name, []).append(ImageOps.expand(picture, picture.width // 4, (0, 0, 0, 0)))
    return found


def read_places(folder: Path) -> list[Image.Image]:
    """Photographs with a shorter side of 400 pixels, and the earth."""
    Image.MAX_IMAGE_PIXELS = None
    photos = [Image.open(path).convert("RGB") for path in sorted((folder / "photos").glob("*.jpg"))]
    photos = [ImageOps.scale(photo, 400 / min(photo.size), Image.Resampling.BICUBIC) for photo in photos]
    earth = [Image.open(folder / "earth" / name).convert("RGB") for name in ("satellite.jpg", "relief.jpg")]
    return photos + earth


def is_held_out(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10 == 0


def cut(picture: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)


def view_emoji(picture: Image.Image, rng: random.Random, background: tuple[int, int, int]) -> Image.Image:
    """A view of an emoji [with its margin]: another size and place."""
    side = picture.width / 1.5
    size = side * rng.uniform(0.75, 1.2)
    left, top = ((picture.width - size) / 2 + rng.uniform(-0.12, 0.12) * side for _ in range(2))
    left, top = (min(max(edge, 0), picture.width - size) for edge in (left, top))
    view = cut(picture, (left, top, left + size, top + size))
    flat = Image.new("RGB", view.size, background)
    flat.paste(view, mask=view.getchannel("A"))
    return ImageOps.mirror(flat) if rng.random() < 0.5 else flat


def view_place(picture: Image.Image, rng: random.Random, center: tuple[float, float], size: float) -> Image.Image:
    """A view around `center` (shares of width and height) of about `size` pixels."""
    size *= rng.uniform(0.8, 1.25)
    edges = []
    for share, whole in zip(center, picture.size, strict=True):
        edges.append(min(max(share * whole + rng.uniform(-0.12, 0.12) * size - size / 2, 0), whole - size))
    view = cut(picture, (edges[0], edges[1], edges[0] + size, edges[1] + size))
    return ImageOps.mirror(view) if rng.random() < 0.5 else view


def to_tensor(views: list[Image.Image]) -> Tensor:
    """[N, 3, SIDE, SIDE] in [-1, 1]."""
    joined = b"".join(view.tobytes() for view in views)
    pixels = torch.frombuffer(bytearray(joined), dtype=torch.uint8).view(len(views), SIDE, SIDE, 3)
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def choose_background(rng: random.Random) -> tuple[int, int, int]:
    """White mostly, as in most pictures of single things."""
    return (255, 255, 255) if rng.random() < 0.7 else tuple(rng.randrange(256) for _ in range(3))  # type: ignore[return-value]


class Batches:
    """Batches of `count` instances, two views of each, made by a thread."""

    def __init__(self, emoji: dict[str, list[Image.Image]], places: list[Image.Image], count: int, seed: int) -> None:
        self.names = sorted(name for name in emoji if not is_held_out(name))
        self.categories = sorted({name.split("/")[0] for name in emoji})
        self.emoji, self.places, self.count = emoji, places, count
        self.rng = random.Random(seed)
        self.ready: queue.Queue[tuple[Tensor, Tensor]] = queue.Queue(4)
        threading.Thread(target=self.fill, daemon=True).start()

    def fill(self) -> None:
        while True:
            self.ready.put(self.make())

    def make(self) -> tuple[Tensor, Tensor]:
        """Views [2 count, 3, SIDE, SIDE], the first views first; categories [count], -1 for places."""
        rng, first, second, categories = self.rng, [], [], []
        for name in rng.sample(self.names, self.count - PLACES):
            one, other = rng.choice(self.emoji[name]), rng.choice(self.emoji[name])
            first.append(view_emoji(one, rng, choose_background(rng)))
            second.append(view_emoji(other, rng, choose_background(rng)))
            categories.append(self.categories.index(name.split("/")[0]))
        for _ in range(PLACES):
            picture = rng.choice(self.places) if rng.random() < 0.8 else self.places[-2]
            center, size = (rng.random(), rng.random()), 64 * 4 ** rng.random()
            first.append(view_place(picture, rng, center, size))
            second.append(view_place(picture, rng, center, size))
            categories.append(-1)
        return to_tensor(first + second), torch.tensor(categories)


def damage(images: Tensor, rng: random.Random) -> tuple[Tensor, Tensor]:
    """images [N, 3, H, W] -> damaged images, and the kind [N] of each; kind 0 is none."""
    kinds = [rng.randrange(DAMAGES) for _ in images]
    damaged = []
    for index, (x, kind) in enumerate(zip(images, kinds, strict=True)):
        other, strength = images[index - 1], rng.uniform(0.3, 1)
        height, width = x.shape[1:]
        if kind == 1:  # blurred
            small = F.interpolate(x[None], scale_factor=1 - 0.7 * strength, mode="area")
            x = F.interpolate(small, size=(height, width), mode="bilinear")[0]
        elif kind == 2:  # noise
            x = x + 0.3 * strength * torch.randn(x.shape)
        elif kind == 3:  # a grid of a random period
            period = rng.choice((2, 4, 8))
            grid = torch.randn(1, period, period).repeat(1, height // period, width // period)
            x = x + 0.25 * strength * grid
        elif kind == 4:  # two pictures mixed
            x = torch.lerp(x, other, 0.5 * strength)
        elif kind == 5:  # part of another picture
            rows, columns = int(height * rng.uniform(0.3, 0.7)), int(width * rng.uniform(0.3, 0.7))
            x = x.clone()
            x[:, rows:, columns:] = other[:, rows:, columns:]
        elif kind == 6:  # bent
            bend = 0.35 * strength * F.interpolate(torch.randn(1, 2, 5, 5), size=(height, width), mode="bicubic")
            lines = torch.linspace(-1, 1, height)
            places = torch.stack(torch.meshgrid(lines, lines, indexing="xy"), -1)
            x = F.grid_sample(x[None], places[None] + bend.permute(0, 2, 3, 1), padding_mode="border", align_corners=True)[0]
        elif kind == 7:  # blotches of color
            blotch = F.interpolate(torch.randn(1, 3, 6, 6), size=(height, width), mode="bicubic")[0]
            x = x + 0.5 * strength * blotch
        damaged.append(x.clamp(-1, 1))
    return torch.stack(damaged), torch.tensor(kinds)


def info_nce(first: Tensor, second: Tensor) -> Tensor:
    """Unit vectors of the two views of each instance, each [N, d] -> the loss: which of all others is its partner?"""
    both = torch.cat([first, second])
    similar = both @ both.T / TEMPERATURE
    similar.fill_diagonal_(-torch.inf)
    n = len(first)
    return F.cross_entropy(similar, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


def fold(trained: PictureNetwork) -> PictureNetwork:
    """The same network without normalization."""

    def merge(pairs: Any, plain: Any) -> None:
        """Copy the convolutions of one sequence into another, each with the normalization that follows it."""
        for index, module in enumerate(pairs):
            if isinstance(module, nn.Conv2d):
                norm = pairs[index + 1]
                statistics = (norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
                plain[index].weight, plain[index].bias = fuse_conv_bn_weights(module.weight, module.bias, *statistics)
            elif isinstance(module, Residual):
                merge(module.steps, plain[index].steps)

    folded = PictureNetwork()
    for before, after in zip(trained.stages, folded.stages, strict=True):
        merge(before, after)
    return folded.eval()


@torch.no_grad()
def examine(network: nn.Module, emoji: dict[str, list[Image.Image]]) -> tuple[float, float, int]:
    """Held-out emoji: how often the nearest drawing by another hand is of the same emoji, and the nearest neighbor among the
    training emoji of the same category; and how many there are."""
    names = sorted(filter(is_held_out, emoji))
    known = sorted(name for name in emoji if not is_held_out(name))

    def embed(chosen: list[str], style: int) -> Tensor:
        centered = [
            cut(p, (p.width / 6, p.width / 6, p.width * 5 / 6, p.width * 5 / 6)) for p in (emoji[n][style] for n in chosen)
        ]
        flats = []
        for view in centered:
            flats.append(Image.new("RGB", view.size, (255, 255, 255)))
            flats[-1].paste(view, mask=view.getchannel("A"))
        found = torch.cat([network(part) for part in to_tensor(flats).split(200)])
        return F.normalize(found - found.mean(0), dim=1)

    solid, noto, training = embed(names, 0), embed(names, 2), embed(known, 0)
    partner = (solid @ noto.T).argmax(1) == torch.arange(len(names))
    nearest = (solid @ training.T).argmax(1)
    category = [known[j].split("/")[0] == name.split("/")[0] for name, j in zip(names, nearest.tolist(), strict=True)]
    return partner.float().mean().item(), sum(category) / len(category), len(names)


@torch.no_grad()
def examine_damage(network: nn.Module, head: nn.Module, places: list[Image.Image]) -> float:
    """Views of held-out photographs: how often the kind of damage is told."""
    rng = random.Random(5)
    torch.manual_seed(5)
    views = [view_place(rng.choice(places), rng, (rng.random(), rng.random()), 64 * 4 ** rng.random()) for _ in range(800)]
    images, kinds = damage(to_tensor(views), rng)
    found = torch.cat([head(network(part)) for part in images.split(200)]).argmax(1)
    return (found == kinds).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, help="the folder with emoji/, photos/ and earth/")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--instances", type=int, default=128, help="of each batch")
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args()
    torch.manual_seed(0)
    emoji, places = read_emoji(asked.datasets), read_places(asked.datasets)
    held_out = places[-HELD_OUT_PHOTOS - 2 : -2]
    places = places[: -HELD_OUT_PHOTOS - 2] + places[-2:]
    batches = Batches(emoji, places, asked.instances, 0)
    network = PictureNetwork(nn.BatchNorm2d)
    width = WIDTHS[-1]
    project = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 96))
    categorize, tell = nn.Linear(width, len(batches.categories)), nn.Linear(width, DAMAGES)
    everything = nn.ModuleList([network, project, categorize, tell])
    optimizer = torch.optim.AdamW(everything.parameters(), 2e-3, betas=(0.9, 0.99), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, asked.steps, pct_start=0.05)
    rng, start = random.Random(1), time.time()
    for step in range(1, asked.steps + 1):
        views, categories = batches.ready.get()
        n = len(categories)
        damaged, kinds = damage(views[torch.randperm(2 * n)[:DAMAGED]], rng)
        with torch.autocast("cpu", torch.bfloat16):
            features = network(torch.cat([views, damaged]).contiguous(memory_format=torch.channels_last)).float()
        codes = F.normalize(project(features[: 2 * n]), dim=1)
        alike = info_nce(codes[:n], codes[n:])
        named = F.cross_entropy(categorize(features[: 2 * n]), categories.repeat(2), ignore_index=-1)
        told = F.cross_entropy(tell(features[2 * n :]), kinds)
        optimizer.zero_grad()
        (alike + 0.3 * named + 0.3 * told).backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == asked.steps:
            losses = f"alike {alike:.3f}, category {named:.3f}, damage {told:.3f}"
            print(f"{step:5} of {asked.steps}, {time.time() - start:.0f} s: {losses}", flush=True)
        if step % 500 == 0 or step == asked.steps:
            network.eval()
            partner, category, count = examine(network, emoji)
            told_right = examine_damage(network, tell, held_out)
            network.train()
            results = f"same emoji by another hand {partner:.1%}, category {category:.1%}, damage {told_right:.1%}"
            print(f"      held out ({count} emoji): {results}", flush=True)
    network.eval()
    folded = fold(network)
    # Half precision: the file has half the size, and the features differ by less than those of two processors.
    weights = {name: weight.detach().half().contiguous() for name, weight in folded.state_dict().items()}
    folded.load_state_dict({name: weight.float() for name, weight in weights.items()})
    partner, category, _ = examine(folded, emoji)
    print(f"folded, half precision: same emoji by another hand {partner:.1%}, category {category:.1%}")
    save_file(weights, asked.out)
    print(f"{asked.out}: {asked.out.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(asked.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()

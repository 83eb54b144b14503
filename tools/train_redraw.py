"""Train the network that draws pictures again: `python tools/train_redraw.py ../shared/datasets`.

It gets pictures of 32 pixels with the faults that generated pictures have (specks, stains, blur, dents), through codes that are
a little uncertain, and must draw the clean picture of 64 pixels. Judged by pixels, by the maps of `PictureNetwork`, and, in the
second half, by a discriminator of patches.
Sources: Ledig et al. 2017, arXiv:1609.04802 (super-resolution by a GAN); Vincent et al. 2008 (denoising autoencoders).

Data: fluent-flat.zip (MIT), noto.zip (Apache-2.0), photographs (CC BY-SA and others), satellite.jpg and relief.jpg (public
domain). Not fluent-3d.zip, which GANs are measured on. The last six photographs and the western quarter of the earth are held
out.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import math
import random
import time
import zipfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from train_picture_network import HELD_OUT_PHOTOS, choose_background, read_places, to_tensor, view_emoji, view_place

from ganvas.layers.redraw import CODES, FILE, Redraw
from ganvas.metrics.picture_network import load_picture_network

STYLES = ("fluent-flat", "noto")
VIEWS = 5  # of each drawing
PHOTO_VIEWS, EARTH_VIEWS = 9000, 3000
SIDE = 64
UNCERTAIN = 0.15  # standard deviation of the noise on codes of unit variance: codes close together must look alike
CRITIC_FROM = 0.4  # share of the training from which the discriminator judges


def read_drawings(folder: Path, style: str) -> list[Image.Image]:
    """The drawings of one hand, RGBA with a margin of a quarter."""
    with zipfile.ZipFile(folder / "emoji" / f"{style}.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        drawings = [Image.open(io.BytesIO(archive.read(name))).convert("RGBA") for name in names]
    return [ImageOps.expand(drawing, drawing.width // 4, (0, 0, 0, 0)) for drawing in drawings]


def view_somewhere(picture: Image.Image, rng: random.Random, left: float, right: float) -> Image.Image:
    """A square of 64 to 320 pixels between two shares of the width."""
    return view_place(picture, rng, (rng.uniform(left, right), rng.random()), SIDE * 5 ** rng.random())


def to_bytes(views: list[Image.Image]) -> Tensor:
    """uint8 [N, 3, SIDE, SIDE]."""
    return torch.cat([((to_tensor(views[i : i + 500]) + 1) * 127.5).round().to(torch.uint8) for i in range(0, len(views), 500)])


def to_images(pixels: Tensor) -> Tensor:
    return (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def spoil(small: Tensor, bend: bool) -> Tensor:
    """image [N, 3, h, h] with blur, specks or stains, each of a random strength; with `bend` the first half also with dents."""
    n, side = len(small), small.shape[-1]
    blurred = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), mode="replicate"), 3, 1)
    spoiled = torch.lerp(small, blurred, torch.rand(n, 1, 1, 1).square() * 0.5)
    specks = torch.randn_like(small)
    stains = F.interpolate(specks[:, :, ::2, ::2], scale_factor=2, mode="bilinear")
    spoiled = spoiled + torch.rand(n, 1, 1, 1) * 0.12 * torch.where(torch.rand(n, 1, 1, 1) < 0.5, specks, stains)
    if not bend:
        return spoiled
    half = n // 2
    shift = torch.randn(half, 2, 8, 8) * 0.06 * torch.rand(half, 1, 1, 1)
    shift = F.interpolate(shift, size=(side, side), mode="bicubic").permute(0, 2, 3, 1)
    line = (torch.arange(side) + 0.5) * 2 / side - 1
    places = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None] + shift
    bent = F.grid_sample(spoiled[:half], places, padding_mode="border", align_corners=False)
    return torch.cat([bent, spoiled[half:]])


class Patches(nn.Module):
    """A discriminator: image [N, 3, H, W] -> logits [N, 1, H/4, W/4] of its patches."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.PixelUnshuffle(2), nn.Conv2d(12, 48, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(48, 64, 4, 2, 1)]
        self.steps = nn.Sequential(
            *layers, nn.LeakyReLU(0.2), nn.Conv2d(64, 64, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 1, 3, 1, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.steps(image)
        return logits


def double(image: Tensor) -> Tensor:
    """image [N, C, H, W] -> [N, C, 2H, 2W], without a network: what the network is compared with."""
    return F.interpolate(image, scale_factor=2, mode="bicubic").clamp(-1, 1)


def psnr(found: Tensor, pixels: Tensor) -> float:
    """The mean over pictures, in decibels."""
    errors = ((found.clamp(-1, 1) - to_images(pixels)) / 2).square().mean((1, 2, 3))
    return float(-10 * errors.log10().mean())


@torch.no_grad()
def examine(network: nn.Module, held_out: dict[str, Tensor]) -> str:
    """PSNR of held-out pictures, clean at half the side, and of the same with faults; in brackets without a network."""
    parts = []
    for name, pixels in held_out.items():
        small = F.avg_pool2d(to_images(pixels), 2)
        torch.manual_seed(5)
        for kind, seen in (("clean", small), ("spoiled", spoil(small, bend=False))):
            drawn = torch.cat([network(part) for part in seen.split(50)])
            parts.append(f"{name} {kind} {psnr(drawn, pixels):.2f} ({psnr(double(seen), pixels):.2f})")
    return ", ".join(parts)


@torch.no_grad()
def fold(network: Redraw, pixels: Tensor) -> Redraw:
    """The same network with the normalization of its codes multiplied into the last convolution before them.

    `pixels` are the pictures whose codes then have mean 0 and variance 1.
    """
    folded = copy.deepcopy(network)
    codes = torch.cat([folded.encode(F.avg_pool2d(to_images(part), 2)) for part in pixels.split(50)])
    scale = codes.var((0, 2, 3)).add(1e-5).rsqrt()
    last: Any = folded.encode[-1]
    last.weight *= scale[:, None, None, None]
    last.bias.copy_((last.bias - codes.mean((0, 2, 3))) * scale)
    return folded.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, help="the folder with emoji/, photos/ and earth/")
    parser.add_argument("--images", type=int, default=131_712, help="seen in all")
    parser.add_argument("--begin", action="store_true", help="go on from the network that is there")
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args()
    torch.manual_seed(0)
    rng = random.Random(3)

    # The data: views of drawings and places, as bytes.
    drawings = [drawing for style in STYLES for drawing in read_drawings(asked.datasets, style)]
    places = read_places(asked.datasets)
    photos, earth = places[:-2], places[-2:]
    views = [view_emoji(drawing, rng, choose_background(rng)) for _ in range(VIEWS) for drawing in drawings]
    views += [view_somewhere(rng.choice(photos[:-HELD_OUT_PHOTOS]), rng, 0, 1) for _ in range(PHOTO_VIEWS)]
    views += [view_somewhere(rng.choice(earth), rng, 0.3, 1) for _ in range(EARTH_VIEWS)]
    pixels = to_bytes(views)
    kept = [view_emoji(drawing, rng, (255, 255, 255)) for drawing in read_drawings(asked.datasets, "fluent-3d")[::3]]
    held_out = {
        "drawings of another hand": to_bytes(kept),
        "photographs": to_bytes([view_somewhere(rng.choice(photos[-HELD_OUT_PHOTOS:]), rng, 0, 1) for _ in range(400)]),
        "earth": to_bytes([view_place(earth[0], rng, (rng.uniform(0.02, 0.2), rng.random()), SIDE) for _ in range(300)]),
    }
    print(f"{len(pixels):,} views", flush=True)

    # The networks. `average` is what is kept.
    network, norm, critic = Redraw(), nn.BatchNorm2d(CODES, affine=False, momentum=0.02), Patches()
    if asked.begin:
        network.load_state_dict({name: weight.float() for name, weight in load_file(FILE).items()})
    judge = load_picture_network().bfloat16()
    for module in (network, critic, judge):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, betas=(0.9, 0.99))
    critic_optimizer = torch.optim.Adam(critic.parameters(), 4e-4, betas=(0.5, 0.99))
    start, step, seen, sums = time.time(), 0, 0, torch.zeros(3)
    while (progress := seen / asked.images) < 1:
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * progress))
        real = to_images(pixels[torch.randint(len(pixels), (16,))])
        real = real.flip(3) if step % 2 else real
        small = spoil(F.avg_pool2d(real, 2), bend=step % 2 == 0)
        with torch.autocast("cpu", torch.bfloat16):
            codes = norm(network.encode(small).float())
            drawn = network.decode(codes + UNCERTAIN * torch.randn_like(codes)).float()
        different = (drawn - real).abs().mean()
        with torch.no_grad():
            wanted = judge.maps(real.bfloat16())[:3]
        apart = torch.zeros(())
        for found, map_ in zip(judge.maps(drawn.bfloat16())[:3], wanted, strict=True):
            apart = apart + (found - map_).float().abs().mean() / map_.float().abs().mean().clamp(min=1e-3) / 3
        loss = different + 0.15 * apart
        if progress > CRITIC_FROM:
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss + 0.02 * F.softplus(-critic(drawn).float()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress > CRITIC_FROM - 0.04:
            real.requires_grad_(step % 8 == 0)
            with torch.autocast("cpu", torch.bfloat16):
                of_real, of_drawn = critic(real).float(), critic(drawn.detach()).float()
            critic_loss = F.softplus(-of_real).mean() + F.softplus(of_drawn).mean()
            if step % 8 == 0:
                (gradient,) = torch.autograd.grad(of_real.mean((1, 2, 3)).sum(), real, create_graph=True)
                critic_loss = critic_loss + 8 * gradient.float().square().sum((1, 2, 3)).mean()
            critic_optimizer.zero_grad()
            critic_loss.backward()
            critic_optimizer.step()
        step, seen = step + 1, seen + len(real)
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), max(0.003, 1 / (step + 1)))
        sums += torch.tensor([float(different.detach()), float(apart.detach()), 1])
        if step % 500 == 0:
            pixel, map_loss, _ = (sums / sums[2]).tolist()
            print(f"{time.time() - start:.0f} s, {seen:,} images: pixels {pixel:.4f}, maps {map_loss:.4f}", flush=True)
            sums.zero_()

    # Half precision: the file has half the size.
    folded = fold(average, pixels[torch.randperm(len(pixels))[:2000]])
    weights = {name: weight.detach().half().contiguous() for name, weight in folded.state_dict().items()}
    folded.load_state_dict({name: weight.float() for name, weight in weights.items()})
    print(f"PSNR, in brackets of bicubic interpolation: {examine(folded, held_out)}")
    save_file(weights, asked.out)
    size, digest = asked.out.stat().st_size, hashlib.sha256(asked.out.read_bytes()).hexdigest()
    print(f"{asked.out}: {size:,} bytes, {seen:,} images, SHA-256 {digest}")


if __name__ == "__main__":
    main()

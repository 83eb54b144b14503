"""The same game on digits: loss, penalties, rates and balance of a play session, with 28 x 28 numbers instead of two.

`python -m ganvas.studio.play.digits_process` does the task `digits` {setup}: it trains until it is cancelled, or for
`MAX_STEPS`, and shows a sheet of digits from the same noise about once a second.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.engine import loop, state
from ganvas.engine.balance import Balance
from ganvas.games.registry import find_recipe
from ganvas.runtime.plan import Plan
from ganvas.studio.page_tasks import Result, Task, run_tasks
from ganvas.studio.play.play_settings import PlaySettings, parse_settings
from ganvas.studio.play.simulation import SteppedGAN
from ganvas.studio.socket import Array
from ganvas.utils.seeds import mix

RECIPE = "gan-mnist"
BATCH = 64
MAX_STEPS = 20_000
ROWS, COLUMNS = 4, 8  # of the sheet
SIDE = 28
PICTURE_SECONDS = 1.0


class DigitsGame:
    """The perceptrons of the recipe gan-mnist, under the rules of a play session."""

    def __init__(self, setup: PlaySettings) -> None:
        recipe = find_recipe(RECIPE)
        self.setup, self.rules = setup, setup.make_rules()
        self.source = open_source(DataConfig(source="mnist"))
        torch.manual_seed(mix(setup.seed, "weights"))
        self.game = SteppedGAN(replace(recipe.config, shape=(1, SIDE, SIDE), noise=setup.noise, rules=self.rules))
        self.game.moves = {"D": setup.d_moves, "G": setup.g_moves}
        moves = max(1, setup.d_moves + setup.g_moves - 1)  # a step of several moves uses several batches
        self.training = replace(setup.make_training(), batch=BATCH, images=BATCH * MAX_STEPS * moves)
        self.state = state.new_state(self.game, self.training, Plan(threads=1))
        if setup.balance == "off":
            self.state.balances = {}
        else:
            balance = self.state.balances.get("", Balance())
            self.state.balances = {"": replace(balance, steering=setup.balance == "auto", resting=setup.balance == "rest")}
        generator = torch.Generator().manual_seed(mix(setup.seed, "shown"))
        self.z = torch.randn(ROWS * COLUMNS, self.game.config.latent_dim, generator=generator)

    def train(self) -> Iterator[dict[str, float]]:
        """Take steps; the losses of each."""
        for _, terms in loop.train(self.state, self.source, self.training):
            yield {name: float(value) for name, value in terms.items()}

    @torch.no_grad()
    def draw_sheet(self) -> tuple[Array, dict[str, float]]:
        """The digits of now, uint8 [ROWS * 28, COLUMNS * 28], and the mean of D over digits and over fakes."""
        fake = self.game.sample(self.z)
        real = self.source.fields["real"][: len(fake)]
        real = real.float() / 127.5 - 1 if real.dtype == torch.uint8 else real
        means = {"mean_real": self.judge(real), "mean_fake": self.judge(fake)}
        grid = fake.view(ROWS, COLUMNS, SIDE, SIDE).permute(0, 2, 1, 3).reshape(ROWS * SIDE, COLUMNS * SIDE)
        return ((grid.clamp(-1, 1) + 1) * 127.5).round().byte().numpy(), means

    def judge(self, images: Tensor) -> float:
        """The mean of D; NaN if the loss fixes no boundary, since then only differences have a meaning."""
        boundary = self.rules.scoring.boundary
        logits = self.game.judge(images)
        if boundary is None:
            return float("nan")
        return float((torch.sigmoid(logits) if boundary == 0 else logits.clamp(0, 1)).mean())


def train_digits(task: Task) -> Result:
    """Train under the settings of a play session, and show the digits on the way."""
    task.report(0, MAX_STEPS, "Reading the digits")
    usual = dataclasses.asdict(PlaySettings())
    game = DigitsGame(parse_settings({**usual, **task.facts["setup"]}))
    last = 0.0
    for step, terms in enumerate(itertools.chain([{}], itertools.islice(game.train(), MAX_STEPS))):
        now = time.monotonic()
        if now - last >= PICTURE_SECONDS or step == MAX_STEPS:
            sheet, means = game.draw_sheet()
            numbers = {name: round(value, 4) for name, value in {**terms, **means}.items() if np.isfinite(value)}
            task.show({"step": step, **numbers}, {"sheet": sheet})
            last = now
        elif task.cancelled:
            break
    return {"step": game.state.step}, {}


def main() -> None:
    """Do tasks until the page is gone."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    run_tasks({"digits": train_digits})


if __name__ == "__main__":
    main()

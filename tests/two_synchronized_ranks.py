"""One of two ranks that play the recipes with BatchNorm over the whole batch: `two_synchronized_ranks.py FOLDER`."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import torch
from support import PLAN, miniature

from ganvas.engine.autotune import has_batch_norm, initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import dump
from ganvas.games import RECIPES
from ganvas.runtime.distributed import connect, disconnect

if __name__ == "__main__":
    torch.set_num_threads(1)
    ranks = connect()
    for name in RECIPES:
        recipe, data = miniature(name)
        if has_batch_norm(recipe):
            state = initial_state(recipe, replace(PLAN, sync_batch_norm=True))
            for _ in itertools.islice(train(state, data, recipe.train, ranks), 5):
                pass
            torch.save(dump(state)[0], Path(sys.argv[1]) / f"{name}.{ranks.rank}.pt")
    disconnect()

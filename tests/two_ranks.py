"""One of two ranks, started with torchrun's environment, that plays five steps of every recipe: `two_ranks.py FOLDER [sync]`.

With `sync` it plays only the recipes with BatchNorm, which then normalizes over the batch of both ranks.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import torch
from support import PLAN, miniature

from ganvas.engine import dump, train
from ganvas.games import RECIPES
from ganvas.plan import fresh, has_batch_norm
from ganvas.ranks import connect, disconnect

if __name__ == "__main__":
    torch.set_num_threads(1)
    ranks = connect()
    sync = "sync" in sys.argv[2:]
    for name in RECIPES:
        recipe, data = miniature(name)
        if sync and not has_batch_norm(recipe):
            continue
        state = fresh(recipe, replace(PLAN, sync_batch_norm=sync))
        for _ in itertools.islice(train(state, data, recipe.train, ranks), 5):
            pass
        torch.save(dump(state)[0], Path(sys.argv[1]) / f"{name}.{ranks.rank}.pt")
    disconnect()

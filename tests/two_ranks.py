"""One of two ranks that play five steps of every recipe: `two_ranks.py ADDRESS RANK FOLDER`."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from support import PLAN, miniature

from ganvas.engine import dump, train
from ganvas.games import RECIPES
from ganvas.plan import fresh
from ganvas.ranks import Ranks

if __name__ == "__main__":
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=sys.argv[1], rank=int(sys.argv[2]), world_size=2)
    ranks = Ranks(int(sys.argv[2]), 2)
    for name in RECIPES:
        recipe, data = miniature(name)
        state = fresh(recipe, PLAN)
        for _ in itertools.islice(train(state, data, recipe.train, ranks), 5):
            pass
        torch.save(dump(state)[0], Path(sys.argv[3]) / f"{name}.{ranks.rank}.pt")
    dist.destroy_process_group()

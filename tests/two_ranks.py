"""One of two ranks, started with torchrun's environment, that plays five steps of every recipe: `two_ranks.py FOLDER`."""

from __future__ import annotations

import copy
import itertools
import sys
from pathlib import Path

import miniatures
import torch
from support import PLAN, miniature, state_hash

from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import dump, restore
from ganvas.games import GAMES, RECIPES
from ganvas.runtime.distributed import connect, disconnect

if __name__ == "__main__":
    torch.set_num_threads(1)
    ranks = connect()
    GAMES.update(miniatures.GAMES)  # type: ignore[attr-defined]
    for name in (*RECIPES, *miniatures.RECIPES):
        recipe, data = miniature(name)
        state = initial_state(recipe, PLAN)
        for _ in itertools.islice(train(state, data, recipe.train, ranks), 5):
            pass
        tensors, counters = copy.deepcopy(dump(state, ranks))
        torch.save(tensors, Path(sys.argv[1]) / f"{name}.{ranks.rank}.pt")
        if state.game.memories():  # each rank takes its own pool up again
            resumed = initial_state(recipe, PLAN)
            restore(resumed, tensors, counters, ranks)
            for each in (state, resumed):
                for _ in itertools.islice(train(each, data, recipe.train, ranks), 3):
                    pass
            assert state_hash(dump(resumed, ranks)[0]) == state_hash(dump(state, ranks)[0])
    disconnect()
    tasks = Path("/proc/self/task")  # of Linux; a thread of gloo that is left can abort the process while Python ends
    left = [name for task in tasks.glob("*/comm") if "gloo" in (name := task.read_text())]
    assert not left, left

"""Where a run folder may be made, which one a restarted job continues, and what a start that was cut off leaves behind."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from pathlib import Path

from ganvas.config import Recipe
from ganvas.errors import DataError
from ganvas.runtime.device import read_count
from ganvas.utils.files import TEMPORARY, disk_errors, make_folder, read_json

BEFORE_RECIPE = ("lock", "env.json", "start")  # what a start writes before recipe.json


def require_place(out: Path) -> None:
    """Check that the run folder can be made, and leave nothing behind.

    Raises:
        ResourceError: it cannot be made.
    """
    with disk_errors(f"cannot make the run folder {out}"):
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        make_folder(out)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        for folder in missing:
            folder.rmdir()


def is_free(out: Path) -> bool:
    """Whether a run can be started in `out`: it does not exist, is empty, or a start in it was cut off before recipe.json."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    names = [path.name for path in out.iterdir() if not TEMPORARY.fullmatch(path.name)]
    if not set(names) <= set(BEFORE_RECIPE):
        return False
    try:
        return "env.json" not in names or "plan" in read_json(out / "env.json")
    except (OSError, DataError):
        return False


def find_restarted_run() -> Path | None:
    """The run of this torchrun job, if it restarts after a rank died and the command has no --out."""
    if read_count("TORCHELASTIC_RESTART_COUNT", 0):
        for env in sorted(Path("runs").glob("*/env.json"), reverse=True):
            with suppress(DataError, OSError):  # a damaged file of another run
                if read_json(env).get("torchrun") == os.environ.get("TORCHELASTIC_RUN_ID"):
                    return env.parent
    return None


def make_numbered_folder(recipe: Recipe) -> Path:
    """A new folder under runs/ with the next free number."""
    root, name = Path("runs"), re.sub(r"[^\w.-]+", "-", recipe.name)  # --set name= may have set it
    while True:
        taken = [int(found[1]) for path in root.glob("*-*") if (found := re.match(r"([0-9]{1,9})-", path.name))]
        folder = root / f"{max(taken, default=-1) + 1:05d}-{name}-seed{recipe.train.seed}"
        with disk_errors(f"cannot make the run folder {folder}"), suppress(FileExistsError):  # another process was faster
            make_folder(root)
            folder.mkdir()
            return folder

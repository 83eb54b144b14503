"""Voxel shapes as files: a turntable animation (GIF), or one mesh of all shapes in a row (OBJ, STL)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ganvas.media.grid import make_grid
from ganvas.media.image_files import save_gif
from ganvas.media.mesh import extract_surface, join_meshes, save_mesh
from ganvas.media.voxel_rendering import render_turntable

SOLID_FILES = (".gif", ".obj", ".stl")
FRAMES, MILLISECONDS = 36, 80  # one rotation in three seconds
LARGE = 96  # side of a picture of the turntable, in pixels


def save_solids(path: Path, solids: Tensor, columns: int, text: Mapping[str, str]) -> None:
    """solids [N, 1, D, H, W] in [-1, 1] -> a GIF of a turntable, or a mesh as OBJ or binary STL.

    Raises:
        UsageError: another suffix.
        DataError: a solid for a mesh is empty.
        ResourceError: the file cannot be written.
    """
    if path.suffix.lower() == ".gif":
        frames = [make_grid(frame, columns, 1, 0) for frame in render_turntable(solids, FRAMES, LARGE)]
        save_gif(path, frames, MILLISECONDS, text)
    else:
        save_mesh(path, join_meshes([extract_surface(solid[0].double().cpu().numpy()) for solid in solids]), text)

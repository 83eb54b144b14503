"""Surfaces of voxel shapes by marching tetrahedra: closed triangle meshes, written as OBJ or binary STL.

Each cube between eight voxel centres is split into six tetrahedra around one diagonal, and the surface crosses a tetrahedron
in no triangle, one or two. Two tetrahedra have the same crossing on their common face, so the mesh is closed: every edge
belongs to exactly two triangles, with opposite directions.
Source: Doi & Koide 1991, IEICE Trans. E74:214 (no ambiguous cases, unlike marching cubes).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import DataError, UsageError
from ganvas.utils.files import write_durably

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CORNERS = np.array(list(itertools.product((0, 1), repeat=3)))  # of a cube: depth, height, width
# One tetrahedron for each order of the three axes on a path from corner 0 to corner 7.
TETRAHEDRA = np.array([[0, *np.cumsum([4 >> axis for axis in order])] for order in itertools.permutations(range(3))], np.int64)


@dataclass(frozen=True)
class Mesh:
    """Vertices float64 [V, 3] as x, y, z with z upwards, in voxels; triangles int64 [T, 3], counter-clockwise from outside."""

    vertices: Floats
    triangles: Whole


def extract_surface(solid: Floats, level: float = 0.0) -> Mesh:
    """float [D, H, W] -> the closed surface of the region above `level`; outside of the grid all is empty.

    A vertex lies at the level on the line between two voxels, and never on a voxel.

    Raises:
        DataError: no value is above the level, or there is a NaN.
        UsageError: another number of dimensions.
    """
    if solid.ndim != 3:
        raise UsageError(f"surface: expected a solid [D, H, W], found shape {list(solid.shape)}")
    field = np.pad(solid.astype(np.float64) - level, 1, constant_values=-1.0)
    if np.isnan(field).any():
        raise DataError("the solid holds NaN: the model has diverged")
    if not (field > 0).any():
        raise DataError("the solid is empty and has no surface; choose another seed")
    shape = np.array(field.shape)
    stride = np.array([shape[1] * shape[2], shape[2], 1])
    cubes = np.indices(tuple((shape - 1).tolist())).reshape(3, -1).T @ stride
    inside = (field > 0).ravel()
    ends: list[Whole] = []  # for each triangle its three crossed edges: [T, 3, 2] voxels, the filled one first
    for tetrahedron in TETRAHEDRA:
        corners = cubes[:, None] + CORNERS[tetrahedron] @ stride
        filled = inside[corners]
        for pattern in range(1, 15):
            which = np.array([bool(pattern >> k & 1) for k in range(4)])
            found = corners[(filled == which).all(1)]
            if len(found):
                ends += [found[:, edges] for edges in _crossing_triangles(which)]
    return _weld(np.concatenate(ends), field, shape)


def _crossing_triangles(which: NDArray[np.bool_]) -> list[Whole]:
    """The triangles [3, 2] of a tetrahedron, `which` of its corners are filled; a vertex is an edge from filled to empty."""
    full, empty = np.flatnonzero(which), np.flatnonzero(~which)
    if len(full) == 1 or len(empty) == 1:
        return [np.array([(f, e) for f in full for e in empty])]
    (a, b), (c, d) = full, empty
    return [np.array([(a, c), (a, d), (b, d)]), np.array([(a, c), (b, d), (b, c)])]


def _weld(ends: Whole, field: Floats, shape: Whole) -> Mesh:
    """The mesh with one vertex for each crossed edge, all triangles oriented outwards."""
    keys = ends[..., 0] * field.size + ends[..., 1]
    unique, index = np.unique(keys, return_inverse=True)
    from_, to = (_voxel_centres(each, shape) for each in (unique // field.size, unique % field.size))
    high, low = field.ravel()[unique // field.size], field.ravel()[unique % field.size]
    share = np.clip(high / (high - low), 0.02, 0.98)[:, None]
    vertices = from_ + (to - from_) * share
    triangles = index.reshape(-1, 3)
    corner = vertices[triangles]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    # Outwards is from the filled ends to the empty ones, wherever the vertices are on the edges.
    out = (to[triangles] - from_[triangles]).sum(1)
    wrong = (normal * out).sum(1) < 0
    triangles[wrong] = triangles[wrong][:, ::-1]
    return Mesh(vertices, triangles)


def _voxel_centres(voxels: Whole, shape: Whole) -> Floats:
    """Indices of padded voxels [N] -> their centres [N, 3]: x to the right, y to the back, z up; right-handed."""
    depth, height, width = np.unravel_index(voxels, shape)
    return np.stack([width, depth, shape[1] - 1 - height], 1) - 1.0


def join_meshes(meshes: Sequence[Mesh], gap: float = 4.0) -> Mesh:
    """One mesh of several, in a row along x.

    Raises:
        UsageError: there is no mesh.
    """
    if not meshes:
        raise UsageError("a mesh file needs at least one solid")
    place, count, vertices, triangles = 0.0, 0, [], []
    for mesh in meshes:
        low, high = mesh.vertices[:, 0].min(), mesh.vertices[:, 0].max()
        vertices.append(mesh.vertices + np.array([place - low, 0.0, 0.0]))
        triangles.append(mesh.triangles + count)
        place, count = place + high - low + gap, count + len(mesh.vertices)
    return Mesh(np.concatenate(vertices), np.concatenate(triangles))


def save_mesh(path: Path, mesh: Mesh, text: Mapping[str, str]) -> None:
    """Write .obj (with `text` as comments) or binary .stl; a voxel is one unit. The write is atomic.

    Raises:
        UsageError: another suffix.
        ResourceError: the file cannot be written.
    """
    if path.suffix.lower() == ".obj":
        lines = [f"# {key}: {value}" for key, value in text.items()]
        lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in mesh.vertices.tolist()]
        lines += [f"f {a} {b} {c}" for a, b, c in (mesh.triangles + 1).tolist()]
        write_durably(path, ("\n".join(lines) + "\n").encode())
    elif path.suffix.lower() == ".stl":
        write_durably(path, _stl(mesh, text))
    else:
        raise UsageError(f"cannot write a mesh to {path.name!r}: expected a name ending in .obj or .stl")


def _stl(mesh: Mesh, text: Mapping[str, str]) -> bytes:
    """80 bytes of text, the number of triangles, then for each triangle its normal, its corners and two zero bytes."""
    corners = mesh.vertices[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    rows = np.zeros(len(corners), [("facet", "<f4", (4, 3)), ("nothing", "<u2")])
    rows["facet"] = np.concatenate([normals[:, None], corners], 1)
    header = "; ".join(f"{key} {value}" for key, value in text.items()).encode("ascii", "replace")[:79]
    return b" " + header.ljust(79) + struct.pack("<I", len(corners)) + rows.tobytes()

"""Solids: the built-in ones, whether they hang together, how they are seen, and the meshes and films they become."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import label as parts_of

from ganvas.core.modality import VOXELS
from ganvas.data.builtin.voxel_shapes import COUNTS, SHAPES, make_solid, shape_source
from ganvas.errors import DataError, UsageError
from ganvas.media.mesh import Mesh, extract_surface, join_meshes, save_mesh
from ganvas.media.voxel_files import LARGE, save_solids
from ganvas.media.voxel_rendering import render_turntable, shade
from ganvas.metrics.connected_parts import largest_component

SOME = np.stack([make_solid("train", i) for i in range(24)])


def field(seed: int) -> np.ndarray:
    """A random field, which crosses zero in every way."""
    return np.random.default_rng(seed).normal(size=(7, 6, 8))


def blocks(seed: int) -> np.ndarray:
    """Random voxels, full or empty: corners and edges that touch in every way."""
    return np.where(np.random.default_rng(seed).random((6, 7, 5)) < 0.45, 1.0, -1.0)


def volume(mesh: Mesh) -> float:
    """By the divergence theorem: positive where triangles face outwards."""
    a, b, c = mesh.vertices[mesh.triangles].transpose(1, 0, 2)
    return float(np.einsum("ti,ti->", a, np.cross(b, c)) / 6)


def half_edges(mesh: Mesh) -> list[tuple[int, int]]:
    """Every triangle's three edges, in the direction in which it runs along them."""
    return [(int(t[k]), int(t[(k + 1) % 3])) for t in mesh.triangles for k in range(3)]


def test_solids_are_a_function_of_their_number() -> None:
    assert np.array_equal(make_solid("train", 5), SOME[5])
    assert not np.array_equal(make_solid("test", 5), SOME[5])
    assert len({grid.tobytes() for grid in SOME}) == len(SOME)


def test_solids_are_whole_and_neither_empty_nor_full() -> None:
    assert bool((largest_component(torch.from_numpy(SOME)) == 1).all())
    filled = SOME.mean((1, 2, 3))
    assert 0.01 < filled.min() < filled.max() < 0.15
    for grid in SOME[:, :, 31]:  # the ground
        assert grid.any() == (not np.array_equal(grid, np.zeros_like(grid)))
    assert all(SOME[i, :, 31].any() for i in range(24) if list(SHAPES)[i % 4] != "plane")


def test_the_source_of_solids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COUNTS, "test", 12)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # others want all of them
    source = shape_source("test")
    assert source.fields["real"].shape == (12, 1, 32, 32, 32)
    assert source.classes == ("chair", "table", "lamp", "plane")
    assert (source.modality, source.is_grid, source.resolution, source.channels) == (VOXELS, True, 32, 1)
    batch = source.samples(torch.tensor([3, 0]))
    assert batch["label"].tolist() == [3, 0]
    assert batch["real"].unique().tolist() == [-1, 1]
    mirrored = VOXELS.mirror(batch["real"], torch.tensor([True, False]))
    assert np.array_equal(mirrored[0, 0].numpy() > 0, make_solid("test", 3)[..., ::-1])
    assert shape_source("test").fingerprint == source.fingerprint
    with pytest.raises(DataError, match="32"):
        shape_source("test", 64)


def test_largest_part_agrees_with_scipy() -> None:
    some = torch.rand(8, 9, 8, 10, generator=torch.Generator().manual_seed(0)) < 0.35
    for grid, share in zip(some.numpy(), largest_component(some).tolist(), strict=True):
        sizes = np.bincount(parts_of(grid)[0].ravel())[1:]
        assert share == pytest.approx(sizes.max() / sizes.sum())
    assert largest_component(torch.zeros(1, 3, 3, 3, dtype=torch.bool)).tolist() == [0]
    with pytest.raises(UsageError, match="expected bool"):
        largest_component(some.float())


@pytest.mark.parametrize("grid", [*map(field, range(4)), *map(blocks, range(4)), SOME[0] * 2.0 - 1, SOME[3] * 2.0 - 1])
def test_surfaces_are_closed_and_face_outwards(grid: np.ndarray) -> None:
    mesh = extract_surface(grid)
    edges = half_edges(mesh)
    assert len(edges) == len(set(edges))  # nobody runs along an edge in the same direction
    assert set(edges) == {(b, a) for a, b in edges}  # and everybody meets one other: two faces an edge
    assert volume(mesh) > 0
    assert len(np.unique(mesh.triangles)) == len(mesh.vertices)


def test_a_surface_lies_half_way_round_what_is_filled() -> None:
    grid = -np.ones((6, 6, 6))
    grid[1, 0, 2:5] = 1
    mesh = extract_surface(grid)
    # Depth 1 is y = 1; height 0, the top, is z = 5; width 2 to 4 is x.
    assert mesh.vertices.min(0).tolist() == [1.5, 0.5, 4.5]
    assert mesh.vertices.max(0).tolist() == [4.5, 1.5, 5.5]
    assert volume(extract_surface(SOME[1] * 2.0 - 1)) == pytest.approx(SOME[1].sum(), rel=0.05)


def test_what_has_no_surface_is_named() -> None:
    with pytest.raises(DataError, match="empty"):
        extract_surface(-np.ones((4, 4, 4)))
    with pytest.raises(DataError, match="NaN"):
        extract_surface(np.full((4, 4, 4), np.nan))
    with pytest.raises(UsageError, match=r"\[D, H, W\]"):
        extract_surface(np.ones((4, 4)))


def test_meshes_stand_in_a_row() -> None:
    one = extract_surface(blocks(0))
    row = join_meshes([one, one, one])
    assert len(row.triangles) == 3 * len(one.triangles)
    assert volume(row) == pytest.approx(3 * volume(one))
    width = np.ptp(one.vertices[:, 0])
    assert np.ptp(row.vertices[:, 0]) == pytest.approx(3 * width + 8)


def test_mesh_files_hold_the_mesh(tmp_path: Path) -> None:
    mesh = extract_surface(field(1))
    save_mesh(tmp_path / "a.obj", mesh, {"seeds": "7"})
    lines = (tmp_path / "a.obj").read_text().splitlines()
    assert lines[0] == "# seeds: 7"
    vertices = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
    faces = np.array([line.split()[1:] for line in lines if line.startswith("f ")], int)
    assert np.allclose(vertices, mesh.vertices, atol=1e-4)
    assert np.array_equal(faces - 1, mesh.triangles)
    save_mesh(tmp_path / "a.stl", mesh, {"seeds": "7"})
    data = (tmp_path / "a.stl").read_bytes()
    assert not data.startswith(b"solid")  # which readers take for text
    assert struct.unpack("<I", data[80:84]) == (len(mesh.triangles),)
    rows = np.frombuffer(data[84:], [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("nothing", "<u2")])
    assert np.allclose(rows["corners"], mesh.vertices[mesh.triangles], atol=1e-5)
    assert np.allclose(np.linalg.norm(rows["normal"], axis=1), 1, atol=1e-4)
    with pytest.raises(UsageError, match=r"\.obj or \.stl"):
        save_mesh(tmp_path / "a.ply", mesh, {})


def test_a_box_is_seen_from_its_front_and_from_above() -> None:
    grid = -torch.ones(1, 1, 16, 16, 16)
    grid[..., 4:12, 4:12, 6:10] = 1
    front = shade(grid, turn=0, above=0, side=48)[0, 0]
    ink = front < 1
    rows, columns = ink.any(1).nonzero().flatten(), ink.any(0).nonzero().flatten()
    assert len(rows) == pytest.approx(48 * 8 / 16 / 1.2, abs=2)
    assert len(columns) == pytest.approx(48 * 4 / 16 / 1.2, abs=2)
    side = shade(grid, turn=90, above=0, side=48)[0, 0] < 1
    assert len(side.any(0).nonzero()) == pytest.approx(48 * 8 / 16 / 1.2, abs=2)
    above = shade(grid, side=48)[0, 0]
    assert above[: 48 // 3][above[: 48 // 3] < 1].mean() > above[32:][above[32:] < 1].mean()  # lit from above
    assert bool((shade(-torch.ones(2, 1, 8, 8, 8)) == 1).all())


def test_a_solid_turns_once_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solids = torch.from_numpy(SOME[:2]).float()[:, None] * 2 - 1
    frames = render_turntable(solids, 4, 32)
    assert [frame.shape for frame in frames] == [(2, 1, 32, 32)] * 4
    assert torch.allclose(shade(solids, 30 + 360, side=32), frames[0], atol=1e-3)
    monkeypatch.setattr("ganvas.media.voxel_files.FRAMES", 3)
    save_solids(tmp_path / "turn.gif", solids, 2, {})
    with Image.open(tmp_path / "turn.gif") as film:
        assert (film.n_frames, film.size) == (3, (2 * LARGE, LARGE))  # type: ignore[attr-defined]
    save_solids(tmp_path / "two.stl", solids, 2, {})
    assert (tmp_path / "two.stl").stat().st_size > 10_000

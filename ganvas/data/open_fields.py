"""Open a data source for a game that takes inputs: pairs, two domains, label maps. The needs of the game decide the fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ganvas.config import DataConfig
from ganvas.data.builtin import earth, emoji_sets, puppets
from ganvas.data.collection import ImageCollection, Progress
from ganvas.data.computed_domains import CHANGES, split_name
from ganvas.data.computed_pairs import SIDE_BY_SIDE, require_pair
from ganvas.data.dataset import Dataset
from ganvas.data.open import find, load, open_source, tell_doubts
from ganvas.data.open_clips import open_emoji_clips, open_puppets
from ganvas.data.own_clips import open_own_clips
from ganvas.data.pair_layout import MOST_MATCH
from ganvas.data.pair_table import open_domains, open_pairs
from ganvas.data.photo_tiles import open_photos
from ganvas.data.source_names import BUILT_IN, doubt_name, find_path, naming
from ganvas.data.table import TableDataset
from ganvas.data.two_sides import TwoSides, are_side_by_side, cut_in_halves, open_two_sides
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError
from ganvas.utils.parsing import printable, spell_count

Opener = Callable[[DataConfig, Sequence[str], int | None, int | None], Dataset]  # config, needs, resolution, channels
SETS: Mapping[str, Opener] = {  # built-in sets with such fields
    **dict.fromkeys(emoji_sets.SIDES, emoji_sets.open_emoji),
    "earth": earth.open_earth,
    "emoji-clips": open_emoji_clips,
    **dict.fromkeys(puppets.SOURCES, open_puppets),
}
KINDS: Mapping[tuple[str, ...], str] = {  # what a game needs -> in words
    ("real", "source"): "pairs of pictures",
    ("map", "real"): "label maps, each with a picture",
    ("a", "b"): "two domains of pictures",
    ("low", "real"): "photographs",
    ("driving", "source"): "clips",
}

LAYOUTS: Mapping[tuple[str, ...], str] = {  # how two folders are called, for a message
    ("real", "source"): "as A/ with the inputs and B/ with the outputs, each pair under one name",
    ("map", "real"): "as masks/ with the maps and photos/ with the pictures, each pair under one name",
    ("a", "b"): "as A/ and B/ with the pictures of one domain each",
}


def open_fields(
    config: DataConfig,
    needs: Sequence[str],
    *,
    resolution: int | None = None,
    channels: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """The fields `needs` of `config.source`: ("source", "real"), ("a", "b"), ("map", "real"), ("low", "real") or
    ("source", "driving").

    "real", if it is needed, is the first field of the data. The other arguments are those of `open_source`.

    Raises:
        UsageError: a setting does not fit.
        DataError: no such path, or it does not have these fields.
    """
    with naming(config.source):
        data = _open(config, needs, resolution, channels, progress)
    doubts = doubt_name(config.source)
    tell_doubts((*doubts, *data.warnings))
    if isinstance(data, UnpairedDataset):
        return replace(data, a=replace(data.a, warnings=(*doubts, *data.a.warnings)))
    return replace(data, warnings=(*doubts, *data.warnings)) if isinstance(data, TableDataset) else data


def _open(
    config: DataConfig, needs: Sequence[str], resolution: int | None, channels: int | None, progress: Progress | None
) -> Dataset:
    kind = tuple(sorted(name for name in needs if name != "label"))
    if kind not in KINDS:
        raise DataError(f"{printable(config.source)}: no source has the fields {', '.join(needs)}; choose another recipe")
    computed = is_computed(config.pair)
    if computed and kind != ("low", "real"):  # which has an error of its own
        require_pair(config.pair)
    if config.source in SETS:
        return SETS[config.source](config, needs, resolution, channels)
    change = split_name(config.source)[0]
    if kind == ("driving", "source"):
        if change or config.source in BUILT_IN:
            raise DataError(f"{printable(config.source)}: expected clips; choose emoji-clips, puppets, or a folder of your own")
        return open_own_clips(config, resolution, channels, progress)
    if change in CHANGES and kind == ("a", "b"):
        return _split_halves(config, resolution, channels)
    if change or kind == ("low", "real"):
        return open_photos(config, needs, resolution=resolution, channels=channels, progress=progress)
    two = find_two(config)
    if two is None and computed:
        return open_photos(config, needs, resolution=resolution, channels=channels, progress=progress)
    if two is None:
        raise _describe_missing(config.source, kind)
    if config.split == "train":
        resolution = config.tile or resolution
    elif config.crop:
        resolution = config.crop
    if kind == ("a", "b"):
        if config.crop:
            raise UsageError("data.crop: crops are for pairs; domains without pairs are taken whole; leave it 0")
        return open_domains(two, config, resolution=resolution, channels=channels, progress=progress)
    if kind == ("real", "source"):
        return open_pairs(two, config, resolution=resolution, channels=channels, progress=progress)
    trained = two if config.split == "train" else find_two(replace(config, split="train")) or two
    if trained.map_side == 1:
        two, trained = two.swapped(), trained.swapped()
    return open_pairs(two, config, maps=True, trained=trained, resolution=resolution, channels=channels, progress=progress)


def is_computed(pair: str) -> bool:
    """Whether this setting `data.pair` names a filter or a bicubic reduction, which makes pairs of photographs."""
    return pair not in ("", SIDE_BY_SIDE)


def find_two(config: DataConfig) -> TwoSides | None:
    """The two sides of the source, found by its folders, or in each picture if `config.pair` says so.

    None: it has not two, or `config.pair` names a filter and these are not surely pairs: the filter makes the pairs then.

    Raises:
        UsageError: `config.pair` is no layout of files, and no filter.
        DataError: the source cannot be read, or has not this split.
    """
    if config.pair == SIDE_BY_SIDE:
        return cut_in_halves(config.source, config.split, config.swap)
    computed = is_computed(config.pair)
    if computed:
        require_pair(config.pair)
    two = open_two_sides(config.source, config.split, config.swap)
    if two is None or not computed:
        return two
    if not (two.certain and two.share >= MOST_MATCH):
        return None
    used = f"data.pair={config.pair} is not used: the pairs of {two.names[0]} and {two.names[1]} are"
    return replace(two, warnings=(*two.warnings, used))


def _split_halves(config: DataConfig, resolution: int | None, channels: int | None) -> UnpairedDataset:
    """`edges:photos/`: one half as it is, the other half changed. The labels of the halves become tables."""
    whole = open_source(config, resolution=resolution, channels=channels)
    label = whole.fields["label"]
    rows = [(label == k).nonzero().flatten() for k in (0, 1)]
    fields = {"real": whole.fields["real"]}
    first, second = (
        replace(
            whole,
            name=name,
            fields=fields,
            classes=(),
            index=index,
            fingerprint=f"{whole.fingerprint}/{name}",
            skipped=whole.skipped if k == 0 else (),
            warnings=whole.warnings if k == 0 else (),
        )
        for k, (name, index) in enumerate(zip(whole.classes, rows, strict=True))
    )
    return UnpairedDataset(first, second, dict(zip("ab", whole.classes, strict=True)))


def _describe_missing(source: str, kind: tuple[str, ...]) -> DataError:
    """The error for a source without two sides."""
    shown, wanted = printable(source), KINDS[kind]
    if source in BUILT_IN:
        able = "earth" if "map" in kind else ", ".join(SETS)
        return DataError(f"{shown}: expected {wanted}; this source has none; choose {able}, or your own pictures")
    expected = "two folders in it, or two paths as A::B"
    pictures = load(find(source, "train"))
    if isinstance(pictures, ImageCollection) and are_side_by_side(pictures):
        return DataError(
            f"{shown}: expected {wanted}: {expected}; its pictures are twice as wide as high: if each is two side by side, say "
            f"--set data.pair={SIDE_BY_SIDE}"
        )
    held = spell_count(len(pictures.names), "pictures") if isinstance(pictures, ImageCollection) else "points"
    if isinstance(pictures, ImageCollection) and (empty := _list_empty(find_path(source), pictures.names)):
        return DataError(f"{shown}: expected {wanted}: {expected}; no pictures in its folder {', '.join(empty)}; found {held}")
    layout = LAYOUTS.get(kind, LAYOUTS["a", "b"])
    return DataError(f"{shown}: expected {wanted}: {expected}, {layout}; found {held} on one side")


def _list_empty(folder: Path, names: Sequence[str]) -> list[str]:
    """The subfolders that hold none of these pictures."""
    inside = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [printable(each, 60) for each in inside if not any(name.startswith(f"{each}/") for name in names)][:3]

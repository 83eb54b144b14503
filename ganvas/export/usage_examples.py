"""Code for a model card that runs as it stands: the exported file with onnxruntime, and the bundle with ganvas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ganvas.core.capabilities import Animates, Classifies, Conditional, Inpaints, Samples, Upscales, Writes
from ganvas.core.modality import IMAGES, VOXELS
from ganvas.export.markdown_text import plain
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.picture_translation import list_ways

SAVED = 'Image.fromarray(levels[0].transpose(1, 2, 0).squeeze()).save("output.png")'
# Of an output, what makes something to look at of it.
AFTER: Mapping[str, tuple[str, ...]] = {
    "pictures": ("levels = np.clip((pictures + 1) * 127.5, 0, 255).round().astype(np.uint8)  # [N, C, H, W]", SAVED),
    "voxels": ("filled = voxels[:, 0] > 0  # [N, D, H, W]", "print(filled[0].mean())  # share of the cells that are filled"),
    "points": ("print(points)",),
    "text": (
        'lines = ["".join(symbols[k - 1] for k in row[: np.argmin([*row, 0])]) for row in text]  # 0 ends a line',
        "print(lines)",
    ),
    "logits": ("print([classes[k] for k in logits.argmax(1)])",),
}
NUMBERS = ('print(*[" ".join(map(str, row)) for row in text], sep="\\n")',)  # of text whose symbols have no letters


def onnx_usage(description: Mapping[str, Any], file: str) -> str:
    """How to run an exported file: its inputs by name, type and shape, and its output as something to look at.

    `description` is that of the file's metadata.
    """
    kinds = {each["kind"] for each in description["inputs"]}
    pictured = description["output"] == "pictures"
    lines = ["import numpy as np", "import onnxruntime", *(["from PIL import Image"] if pictured else []), ""]
    lines.append(f"session = onnxruntime.InferenceSession({json.dumps(file)})")
    lines += ["inputs = {", *(f'    "{each["name"]}": {_value(each)},  # {each["about"]}' for each in description["inputs"])]
    lines += ["}", f"{description['output']} = session.run(None, inputs)[0]"]
    after = AFTER[description["output"]]
    if description["output"] == "text" and description["symbols"]:
        lines.append(f"symbols = {json.dumps(description['symbols'])}")
    elif description["output"] == "text":
        after = NUMBERS
    if description["output"] == "logits":
        lines.append(f"classes = {json.dumps(description['classes'])}")
    lines += after
    packages = "numpy onnxruntime pillow" if pictured else "numpy onnxruntime"
    parts = [f"It needs `pip install {packages}`.", "\n".join(["```python", *lines, "```"])]
    if "picture" in kinds:
        side = next(each["shape"][-1] for each in description["inputs"] if each["kind"] == "picture")
        channels = next(each["shape"][0] for each in description["inputs"] if each["kind"] == "picture")
        mode, change = ("L", "[None]") if channels == 1 else ("RGB", ".transpose(2, 0, 1)")
        parts.append(
            f"A picture of yours instead of zeros, for one input: `np.asarray(Image.open("
            f'"photo.jpg").convert("{mode}").resize(({side}, {side})), np.float32){change}[None] / 127.5 - 1`, with '
            "`from PIL import Image`; every input then has one sample."
        )
    if legend := description.get("legend"):
        parts.append(f"Classes of the map: {', '.join(f'{k} {plain(name)}' for k, name in enumerate(legend))}; 255: not known.")
    return "\n\n".join(parts)


def _value(given: Mapping[str, Any]) -> str:
    shape = ", ".join(map(str, (4, *given["shape"])))
    if given["kind"] == "noise":
        return f"np.random.default_rng(0).standard_normal([{shape}], np.float32)"
    if given["kind"] in ("class", "map"):
        return f"np.zeros([{shape}], np.int64)"
    return f"np.zeros([{shape}], np.float32)"


def python_usage(model: LoadedGame) -> str:
    """How to use the bundle with ganvas, from Python."""
    lines = ["import ganvas", "", 'model = ganvas.load("model.safetensors")', *_calls(model)]
    return "\n".join(["```python", *lines, "```"])


def _calls(model: LoadedGame) -> list[str]:
    """What to call; files of the user are named photo.jpg, mask.png, map.png, clip.gif."""
    game = model.game
    if isinstance(game, Writes):
        return ["print(model.lines(8, seed=0))"]
    if isinstance(game, Samples):
        label = f", label={json.dumps(model.card['classes'][0])}" if isinstance(game, Conditional) else ""
        return [f'model.save("sheet.png", 64, seed=0{label})  # a seed has the same sample everywhere']
    if isinstance(game, Inpaints):
        return ['model.inpaint("photo.jpg", "mask.png").save("filled.png")  # white in the mask: the hole']
    if isinstance(game, Animates):
        lines = ["from ganvas.inference.animate_files import animate_file", ""]
        return [*lines, 'animate_file(model, "picture.png", "nod", "moved.gif")  # nod, or a GIF or film of yours']
    if isinstance(game, Classifies):
        kinds = {IMAGES: "uint8 [n, H, W, C]", VOXELS: "uint8 [n, D, H, W]"}
        taken = kinds.get(model.modality, "float32 [n, D]")
        return [f"model.classify(samples)  # {taken} -> P(class | sample) [n, classes], as in model.named_classes"]
    if isinstance(game, Upscales):
        return ['model.upscale("photo.jpg").save("large.png")']
    ways = list_ways(game)
    if ways[0].of_maps:
        return ['model.paint("map.png", seed=0).save("painted.png")  # a map in the colors of the model\'s legend']
    if len(ways) == 1:
        return ['model.translate("photo.jpg").save("translated.png")']
    return [
        f'model.translate("photo.jpg", to={json.dumps(way.target)}).save("translated-{i}.png")' for i, way in enumerate(ways)
    ]

"""The head of a model card that hubs read: YAML with the library, the task, the licence and tags.

Source: huggingface.co/docs/hub/model-cards and repositories-licenses (the identifiers of licences).
"""

from __future__ import annotations

import json

from ganvas.core.capabilities import Animates, Classifies, Samples, TakesInputs, Writes
from ganvas.inference.loaded_game import LoadedGame

# Identifiers that hubs know and that may stand for the weights of a model; all in small letters.
KNOWN = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd
bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0
etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by
odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr unknown
"""


def make_head(model: LoadedGame, licence: str | None) -> list[str]:
    """The lines of the head. A task is named only where there is one of this kind; texts are JSON, which is YAML as well."""
    task = _find_task(model)
    adversarial = ["gan"] if hasattr(model.game.config, "rules") else []
    tags = dict.fromkeys(["ganvas", *adversarial, str(model.card["recipe"]["game"]), "onnx"])  # each once
    return [
        "library_name: ganvas",
        *([f"pipeline_tag: {task}"] if task else []),
        *_licence(licence),
        *(["language: en"] if model.card["recipe"]["data"]["source"] in ("names", "words") else []),
        f"tags: {json.dumps(list(tags))}",
    ]


def _find_task(model: LoadedGame) -> str | None:
    game = model.game
    if isinstance(game, Writes):
        return "text-generation"
    if isinstance(game, Animates):
        return "image-to-video"
    if isinstance(game, TakesInputs):
        return "image-to-image"
    if model.modality.name != "images":  # points and solids: hubs have no such task
        return None
    if isinstance(game, Classifies):
        return "image-classification"
    return "unconditional-image-generation" if isinstance(game, Samples) else None


def _licence(licence: str | None) -> list[str]:
    if licence is None:
        return ["license: unknown"]
    if licence.lower() in KNOWN.split():
        return [f"license: {licence.lower()}"]
    return ["license: other", f"license_name: {json.dumps(licence)}"]

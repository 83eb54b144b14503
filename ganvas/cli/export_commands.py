"""The commands that hand a model on: `export` and `publish`."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.arguments import Reporting, RunPath, report_doubts
from ganvas.utils.parsing import printable
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

LICENCE = "The licence of the weights in the card, e.g. apache-2.0; only you can say it."
Licence = Annotated[str | None, Parameter(name=["--licence", "--license"], help=LICENCE)]


def export(
    run: RunPath,
    *,
    onnx: Path | None = None,
    html: Path | None = None,
    to: str | None = None,
    side: Whole | None = None,
    strength: Real = 1.0,
    licence: Licence = None,
    reporting: Reporting = Reporting(),
) -> None:
    """Export a model for other programs (.onnx), or as one page that anyone opens (.html); pip install 'ganvas[export]'.

    The exported model is run and compared with PyTorch on 64 inputs first. A model card is written beside each file, NAME.md.

    Parameters
    ----------
    onnx
        An ONNX file to write: noise, class and pictures are its inputs, in batches of any size.
    html
        A page to write: one file with the model and all that runs it, for any browser, without a server or a network.
    to
        The direction of a model that has several, as in `ganvas translate`.
    side
        Pixels of the side of pictures that are inputs; the default is that of the training.
    strength
        From 0 to 1, for what translates or enlarges: how much of the change is made, or how much detail is made up.
    """
    from ganvas.export.export_files import export_files

    found = export_files(run, onnx, html, to=to, side=side, strength=strength, licence=licence)
    if reporting.json:
        print(json_.dumps({"files": [each.to_dict() for each in found]}))
    elif not reporting.quiet:
        for each in found:
            print(f"{printable(each.path)} ({each.size:,} bytes; {each.agreement})")
            print(printable(each.card))


def publish(
    run: RunPath,
    *,
    to: Path,
    licence: Licence = None,
    reporting: Reporting = Reporting(),
) -> None:
    """Lay out a model in a new folder as model hubs expect it: card, bundle, ONNX file, page, samples. Nothing is sent.

    Parameters
    ----------
    to
        The new folder. Upload it with the program of your hub, for example `hf upload NAME/MODEL FOLDER`.
    """
    from ganvas.export.hub_folder import publish as lay_out

    found = lay_out(run, to, licence=licence)
    report_doubts(found.notes, [], quiet=reporting.quiet)
    if reporting.json:
        print(json_.dumps({"out": str(found.folder), "files": list(found.files), "notes": list(found.notes)}))
    elif not reporting.quiet:
        print(f"{printable(found.folder)} ({', '.join(map(printable, found.files))})")

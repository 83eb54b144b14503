"""The command line: which function a command is. torch is imported only inside the commands that need it.

A command parses its words, calls the library and shows the result. Nothing else happens here.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from cyclopts import App

from ganvas.cli import (
    animation_commands,
    augment_command,
    brush_command,
    comparison_commands,
    data_commands,
    drag_command,
    export_commands,
    invert_command,
    latent_commands,
    model_commands,
    training_commands,
    translation_commands,
)
from ganvas.cli.studio_command import studio
from ganvas.errors import GanvasWarning
from ganvas.runtime.exits import allow_any_text, end_by_signals, ignore_odd_width, open_closed_streams, run_and_exit

COMMANDS: dict[str, Callable[..., Any]] = {
    # data and recipes
    "data": data_commands.data,
    "recipes": data_commands.recipes,
    # a run
    "train": training_commands.train,
    "resume": training_commands.resume,
    "branch": training_commands.branch,
    "doctor": training_commands.doctor,
    "bench": training_commands.bench,
    # a model
    "models": model_commands.models,
    "sample": model_commands.sample,
    "classify": model_commands.classify,
    "translate": translation_commands.translate,
    "inpaint": translation_commands.inpaint,
    "paint": translation_commands.paint,
    "animate": animation_commands.animate,
    "eval": model_commands.evaluate,
    "neighbours": model_commands.neighbours,
    "reconstruct": model_commands.reconstruct,
    "strip": model_commands.strip,
    # the latent space of a model
    "interpolate": latent_commands.interpolate,
    "traverse": latent_commands.traverse,
    "plane": latent_commands.plane,
    "arithmetic": latent_commands.arithmetic,
    "invert": invert_command.invert,
    "drag": drag_command.drag,
    "brush": brush_command.brush,
    "map": latent_commands.latent_map,
    # data for others
    "augment": augment_command.augment,
    # a model for others
    "export": export_commands.export,
    "publish": export_commands.publish,
    # several models
    "compare": comparison_commands.compare,
    "lesson": comparison_commands.lesson,
    "studio": studio,
}

app = App(
    name="ganvas",
    help="Train, measure, show and use generative adversarial networks (GANs).",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # run_and_exit says it
)
for name, command in COMMANDS.items():
    app.command(command, name=name)


def main() -> None:
    """Run a command; an error is one line on standard error and an exit code of its kind."""
    open_closed_streams()
    allow_any_text()
    ignore_odd_width()
    end_by_signals()
    warnings.simplefilter("always", GanvasWarning)  # a message for the user, whatever PYTHONWARNINGS says
    show_other = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, GanvasWarning):
            if "--quiet" not in sys.argv:
                print(f"warning: {message}", file=sys.stderr)
        else:
            show_other(message, category, *where, **more)

    warnings.showwarning = show
    run_and_exit(lambda: app(sys.argv[1:], exit_on_error=False, print_error=False))

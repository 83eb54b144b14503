"""The list of pages, in the order of the navigation. A new page is a folder with a `PAGE`, and one line here."""

from __future__ import annotations

from ganvas.studio import home
from ganvas.studio.animate import page as animate
from ganvas.studio.edit import page as edit
from ganvas.studio.explore import page as explore
from ganvas.studio.play import page as play
from ganvas.studio.train import page as train
from ganvas.studio.translate import page as translate

PAGES = (
    home.PAGE,
    play.PAGE,
    train.PAGE,
    explore.PAGE,
    edit.PAGE,
    animate.PAGE,
    translate.PAGE,
)  # the first is the home page at /

"""The page /play: each open page has a play session in a process of its own."""

from __future__ import annotations

from ganvas.studio.pages import Page

PAGE = Page("play", "Play", "Noise becomes points, move by move: the lectures' pictures, alive.")

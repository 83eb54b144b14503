"""The colors of plots; people with color blindness can distinguish all of them."""

from __future__ import annotations

import colorsys

# Of classes in a cloud of points: Paul Tol's muted scheme, and grey.
CLASS_COLORS = (
    "#332288",
    "#88CCEE",
    "#44AA99",
    "#117733",
    "#999933",
    "#DDCC77",
    "#CC6677",
    "#882255",
    "#AA4499",
    "#888888",
)
# Of curves, in the order of their legend. Source: Okabe & Ito 2008, Color Universal Design.
LINE_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")


def class_color(index: int, count: int) -> str:
    """The color of class `index` of `count`: from the list, or evenly spaced hues if there are more classes."""
    if count <= len(CLASS_COLORS):
        return CLASS_COLORS[index]
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(index / count, 0.75, 0.6 + 0.3 * (index % 2)))
    return f"#{red:02x}{green:02x}{blue:02x}"

"""Reports and comparisons show themselves in a notebook: as a table, and with the sheet."""

from __future__ import annotations

import base64
from pathlib import Path

from PIL import Image

from ganvas.evaluation.comparison import Comparison, Row
from ganvas.evaluation.evaluate import Report
from ganvas.evaluation.measures import Measurement

MEASURED = Measurement(2.06, interval=0.1, floor=0.44, samples=1000, extractor="digits")


def test_a_report_is_a_table_of_text() -> None:
    report = Report("<b>", 1, "real", {"fd1k-digits": MEASURED}, None, ())
    shown = report._repr_html_()
    assert shown.startswith("<pre>&lt;b&gt; against real")
    assert "0.44" in shown


def test_a_comparison_has_its_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    comparison = Comparison((Row("<i>", 1, None, {"fd1k-digits": MEASURED}),), "real", sheet)
    assert "img" not in comparison._repr_html_()  # it was deleted
    Image.new("L", (3, 3)).save(sheet)
    shown = comparison._repr_html_()
    assert "&lt;i&gt;" in shown
    assert base64.b64encode(sheet.read_bytes()).decode() in shown

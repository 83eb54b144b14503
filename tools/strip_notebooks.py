"""Strip the notebooks of what a run left in them, so that a change shows only what was written: python tools/strip_notebooks.py

Outputs, numbers of executions, and metadata go; cells, their ids and the name of the kernel stay. `tests/test_notebooks.py`
accepts no others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def main() -> None:
    """Strip each, and name those that changed."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        after = strip(json.loads(before))
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(path.name)


def strip(notebook: dict[str, Any]) -> str:
    """The text of the notebook's file, stripped."""
    cells = []
    for number, cell in enumerate(notebook["cells"], 1):
        made = cell.get("id") or f"cell-{number:02}"
        kept = {"cell_type": cell["cell_type"], "id": made, "metadata": {}}
        kept |= {"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {}
        text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        cells.append({**kept, "source": text.splitlines(keepends=True)})
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()

"""The notebooks: stripped, whole, and runnable from top to bottom."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
KINDS = {"markdown": {"cell_type", "id", "metadata", "source"}}
KINDS["code"] = KINDS["markdown"] | {"execution_count", "outputs"}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_there_are_five() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["1-", "2-", "3-", "4-", "5-"]
    assert not [path for path in FOLDER.iterdir() if path.suffix != ".ipynb"]


@EACH
def test_outputs_are_stripped_and_each_cell_has_an_id(path: Path) -> None:
    notebook = read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}  # no version of whoever ran it last
    cells = notebook["cells"]
    assert all(set(cell) == KINDS[cell["cell_type"]] and cell["metadata"] == {} for cell in cells)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert all(re.fullmatch(r"[\w-]{1,64}", cell["id"]) for cell in cells)
    assert path.read_text(encoding="utf-8") == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


@EACH
def test_it_has_the_format_of_notebooks(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'ganvas[notebooks]'")
    nbformat.validate(nbformat.read(path, 4))


@EACH
def test_links_lead_somewhere(path: Path) -> None:
    prose = "\n".join("".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")
    local = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link]
    assert [link for link in local if not (FOLDER / link).exists()] == []


@EACH
def test_it_writes_below_its_own_folder_only(path: Path) -> None:
    code = "\n".join("".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "code")
    assert not re.search(r"/(tmp|work|home|root)/|expanduser|Path\.home|!|%cd|os\.system|subprocess", code)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@EACH
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a kernel of its own, whose working folder is temporary; nothing is left behind beside the notebook."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'ganvas[notebooks]'")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install 'ganvas[notebooks]'")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install 'ganvas[notebooks]'")
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    before, work = set(FOLDER.iterdir()), tmp_path / "work"
    work.mkdir()
    notebook = nbformat.read(path, 4)
    resources = {"metadata": {"path": str(work)}}
    client = nbclient.NotebookClient(notebook, timeout=1500, kernel_name="python3", resources=resources)
    client.execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in shown) >= 3
    assert [output for output in shown if output.output_type == "error"] == []
    assert [output.text for output in shown if output.get("name") == "stderr" and "Error" in output.text] == []
    assert set(FOLDER.iterdir()) == before
    shutil.rmtree(work)

"""Find problems of a run. Each finding has its evidence in numbers and one flag to try.

The checks use the log (its last third, unless they say otherwise), the data, and samples of the model: samples from noise, or
the outputs for held-out inputs. `Diagnosis.unchecked` lists what was not examined.
"""

from __future__ import annotations

from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.inference import model_file
from ganvas.runtime.device import find_device
from ganvas.training.doctor_case import Case, Finding
from ganvas.training.doctor_checks import CHECKS
from ganvas.training.run_folder import open_run


class Diagnosis(list[Finding]):
    """The findings, and what was not examined."""

    def __init__(self, findings: list[Finding], unchecked: tuple[str, ...] = ()) -> None:
        super().__init__(findings)
        self.unchecked = unchecked


def diagnose(folder: str | Path, device: str = "auto") -> Diagnosis:
    """The problems of the run in `folder`, none or more, and what was not examined.

    Raises:
        DataError: it is no run folder.
        UsageError, ResourceError: there is no such device.
    """
    run, where = open_run(Path(folder)), find_device(device)
    try:
        game, _ = model_file.load(run.folder, where)
    except GanvasError:
        game = None
    case = Case(run, game)
    found: list[Finding] = []
    for check in CHECKS:
        finding = check(case)
        if finding and finding.name not in {earlier.name for earlier in found}:
            found.append(finding)
    return Diagnosis(found, case.list_unchecked())


def format_findings(found: list[Finding]) -> str:
    """The findings, one line each, and a line that says what was not examined."""
    lines = [finding.text() for finding in found] or ["the doctor found no problem"]
    if isinstance(found, Diagnosis) and found.unchecked:
        lines.append(f"not examined: {'; '.join(found.unchecked)}")
    return "\n".join(lines)

"""Find problems of a run. Each finding has its evidence in numbers and one flag to try; the first is the likeliest cause.

The checks use the log (its last third, unless they say otherwise), the data, and samples of the model: samples from noise, or
the outputs for held-out inputs. No findings means that the distance of the samples to real ones was measured, and is near its
floor; `Diagnosis.distance` has both. `Diagnosis.unchecked` lists what was not examined. docs/doctor.md lists all findings.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError
from ganvas.inference import model_file
from ganvas.runtime.device import find_device
from ganvas.training import (
    doctor_baseline,
    doctor_data,
    doctor_log,
    doctor_outputs,
    doctor_samples,
    doctor_translation,
    doctor_verdict,
)
from ganvas.training.doctor_case import Case
from ganvas.training.doctor_distance import Distance
from ganvas.training.doctor_finding import Finding
from ganvas.training.run_folder import open_run

Check = Callable[[Case], Finding | None]

# A fault of the data explains whatever else is wrong, so nothing more is looked for.
DATA: tuple[Check, ...] = (doctor_data.check_size, doctor_data.check_range, doctor_data.check_labels)
# These need no long training.
ALWAYS: tuple[Check, ...] = (
    doctor_log.check_finite,
    doctor_outputs.check_input_use,
    doctor_outputs.check_copies,
)
# Of the samples and of the players. Causes come before what follows from them.
TRAINED: tuple[Check, ...] = (
    doctor_log.check_standstill,
    doctor_verdict.check_average,
    doctor_log.check_long_steps,
    doctor_log.check_short_steps,
    doctor_log.check_batch,
    doctor_log.check_gradient,
    doctor_translation.check_inversion,
    doctor_translation.check_hidden_input,
    doctor_translation.check_noise,
    doctor_translation.check_pairs,
    doctor_samples.check_solids,
    doctor_samples.check_constant,
    doctor_samples.check_collapse,
    doctor_samples.check_class_collapse,
    doctor_samples.check_stray,
    doctor_samples.check_posterior,
    doctor_samples.check_memorization,
    doctor_log.check_overfitting,
    doctor_data.check_leak,
    doctor_log.check_strong_discriminator,
    doctor_log.check_weak_discriminator,
    doctor_verdict.check_saturation,
    doctor_verdict.check_checkerboard,
)


class Diagnosis(list[Finding]):
    """The findings, the distance of the samples to real ones (None: not measured), and what was not examined.

    `measured` are the outputs of a game that takes inputs beside those of its baseline, a line for each task.
    """

    def __init__(
        self,
        findings: list[Finding],
        unchecked: tuple[str, ...] = (),
        distance: Distance | None = None,
        measured: tuple[str, ...] = (),
    ) -> None:
        super().__init__(findings)
        self.measured = measured
        self.unchecked = unchecked
        self.distance = distance

    def to_dict(self) -> dict[str, Any]:
        """For --report: the findings, the distance or None, and what was not examined."""
        distance = None if self.distance is None else self.distance.to_dict()
        return {"findings": [each.to_dict() for each in self], "distance": distance, "unchecked": list(self.unchecked)}


def diagnose(folder: str | Path, device: str = "auto") -> Diagnosis:
    """The problems of the run in `folder`, none or more, and what was not examined.

    Raises:
        DataError: it is no run folder.
        UsageError, ResourceError: there is no such device.
    """
    run, where = open_run(Path(folder)), find_device(device)
    case = Case(run, None)
    with suppress(GanvasError):
        case = Case(run, *model_file.load(run.folder, where))
    faults = _run(DATA, case)
    found = faults + _run(ALWAYS, case)
    if early := doctor_verdict.check_early(case):
        return Diagnosis([*found, early])
    if not faults:
        found += _run(TRAINED, case)
    # The last resort: samples far from the data, and nothing else explains it.
    if not found and (far := doctor_verdict.check_distance(case)):
        found.append(far)
    gains = () if found else doctor_baseline.measure_gains(case)
    if worst := doctor_baseline.find_worst(case, gains):
        found.append(worst)
    distance = next((gain.distance for gain in gains if gain.distance), case.distance)
    unchecked = (*doctor_outputs.list_unchecked(case), *(gain.text() for gain in gains if gain.unknown))
    return Diagnosis(found, unchecked, distance, tuple(gain.text() for gain in gains if not gain.unknown))


def _run(checks: tuple[Check, ...], case: Case) -> list[Finding]:
    """The findings of some checks."""
    return [finding for check in checks if (finding := check(case))]


def format_findings(found: list[Finding]) -> str:
    """The findings, one line each, with the measured distance, and a line that says what was not examined."""
    return "\n".join([*(finding.text() for finding in found), *summarize(found).splitlines()])


def summarize(found: list[Finding]) -> str:
    """The distance of the samples beside its floor, and what was not examined, each in a line; "" if there is neither."""
    distance, measured = (found.distance, found.measured) if isinstance(found, Diagnosis) else (None, ())
    lines = []
    if not found:
        known = "; ".join(measured) or (distance.text() if distance else "")
        lines.append("the doctor found no problem" + (f": {known}" if known else " in what was examined"))
    elif distance and not measured:
        lines.append(f"distance to the data: {distance.text()}")
    if isinstance(found, Diagnosis) and found.unchecked:
        lines.append(f"not examined: {'; '.join(found.unchecked)}")
    return "\n".join(lines)

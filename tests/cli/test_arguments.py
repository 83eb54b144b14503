"""The words of a command line: what they stand for, and what is said of those that stand for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganvas.cli.app import app
from ganvas.cli.arguments import METRICS_HELP, Sampling, free_path, parse_settings, report_doubts, spell_options
from ganvas.cli.comparison_commands import choose_target
from ganvas.errors import DataError, UsageError
from ganvas.evaluation import measure_names
from ganvas.evaluation.evaluate import OTHERS
from ganvas.evaluation.measures import COMPARE
from ganvas.evaluation.text import METRICS
from ganvas.utils.parsing import MOST_NUMBERS, parse_numbers


def test_numbers_are_lists_and_ranges() -> None:
    assert parse_numbers("1,5,9") == [1, 5, 9]
    assert parse_numbers("7,0-3,2-2") == [7, 0, 1, 2, 3, 2]
    assert len(parse_numbers(f"0-{MOST_NUMBERS - 1}")) == MOST_NUMBERS
    assert parse_numbers(f"{2**63 - 2}-{2**63 - 1}") == [2**63 - 2, 2**63 - 1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b", "expected seeds such as 1,5,9 or 0-7, got 'a,b'"),
        ("\N{SUPERSCRIPT TWO}", "expected seeds such as"),
        ("-1", "expected seeds such as"),
        ("1-", "expected seeds such as"),
        ("1,5-3", "the smaller end of a range first, as in 0-7, got '5-3'"),
        ("0-1000000000000", "expected at most 10,000 numbers, got '0-1000000000000'"),
        ("0-9999,10000", "expected at most 10,000 numbers, got"),
    ],
)
def test_what_are_no_numbers(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_numbers(text)


def test_a_field_that_is_set_twice_is_refused() -> None:
    assert parse_settings(None) == {}
    assert parse_settings(["train.batch=8", "data.source=a=b"]) == {"train.batch": "8", "data.source": "a=b"}
    with pytest.raises(UsageError, match=r"--set train\.batch is given twice, as '8' and '16'; give one of them"):
        parse_settings(["train.batch=8", "train.seed=1", " train.batch = 16"])


def test_a_default_name_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert free_path(None, "sheet.png") == Path("sheet.png")
    Path("sheet.png").touch()
    assert free_path(None, "sheet.png") == Path("sheet-2.png")
    Path("sheet-2.png").touch()
    assert free_path(None, "sheet.png") == Path("sheet-3.png")
    assert free_path(Path("sheet.png"), "sheet.png") == Path("sheet.png")  # named by the user: replaced


def test_the_help_lists_every_measure() -> None:
    assert set(measure_names.SAMPLES) == {*COMPARE, *OTHERS}
    assert set(measure_names.TEXT) == set(METRICS)
    assert all(name in METRICS_HELP for name in (*measure_names.SAMPLES, *measure_names.TEXT))


def test_every_verb_that_computes_takes_a_device() -> None:
    idle = {"data", "export", "models", "publish", "recipes", "studio", "--help", "-h", "--version"}
    for name in set(app) - idle:
        assert any("--device" in argument.names for argument in app[name].assemble_argument_collection()), name


def test_every_verb_that_takes_codes_takes_them_by_one_name() -> None:
    for name in ("interpolate", "traverse", "plane", "strip", "sample", "drag", "brush", "neighbours"):
        assert any("--latents" in argument.names for argument in app[name].assemble_argument_collection()), name


def test_sampling_options_are_those_of_a_model() -> None:
    assert Sampling(label="3,8").options() == {"seed": 0, "label": ["3", "8"], "psi": 1.0, "truncate": None}


@pytest.mark.parametrize(
    ("target", "kind", "says"),
    [
        ("runs/00000-cgan", DataError, "runs/00000-cgan: no such run folder or bundle"),
        ("model.safetensors", DataError, "model.safetensors: no such run folder or bundle"),
        ("cgan-mnits", UsageError, "unknown run folder, bundle or recipe 'cgan-mnits'; did you mean 'cgan-mnist'?"),
    ],
)
def test_what_cannot_be_compared(target: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says.replace("?", r"\?")):
        choose_target(target, None, None)
    assert choose_target("cgan-mnist", None, None).name == "cgan-mnist.safetensors"


def test_quiet_leaves_out_warnings_and_keeps_skipped_files(capsys: pytest.CaptureFixture[str]) -> None:
    report_doubts(["doubtful"], [("a.png", "damaged")], quiet=True)
    assert capsys.readouterr().err == "skipped a.png: damaged\n"


def test_an_error_about_a_setting_names_its_option() -> None:
    for text, told in (("count: expected 1", "-n: expected 1"), ("other: expected 1", "other: expected 1")):
        with pytest.raises(UsageError, match=f"^{told}$"), spell_options(count="-n"):
            raise UsageError(text)

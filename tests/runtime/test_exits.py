"""How a command ends: by a signal before it trains, with outputs that are closed, on an odd console."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support import hear_hangups

from ganvas.cli.app import app
from ganvas.runtime.exits import ignore_odd_width, interrupted_before, run_and_exit

HEAD = "from ganvas.runtime.exits import *; from ganvas.runtime import exits; import signal, sys, os; "


def run(program: str, command: str = "", **named: object) -> subprocess.CompletedProcess[str]:
    words = ["bash", "-c", f'"$0" "$@" {command}', sys.executable, "-c", HEAD + program]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, preexec_fn=hear_hangups, **named)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_before_the_training_is_one_line(name: str, code: int) -> None:
    """What was opened is closed, as after Ctrl-C: another process, a temporary folder."""
    program = f"""
signal.signal(signal.SIGINT, signal.default_int_handler)  # also if the tests run in the background of a shell
end_by_signals()
def command():
    try:
        signal.raise_signal(signal.{name})
    finally:
        print("closed")
run_and_exit(command)
"""
    ended = run(program)
    assert (ended.returncode, ended.stdout) == (code, "closed\n")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("ganvas: ")
    assert ended.stderr.endswith("what was saved before stays\n")


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    ended = run("signal.signal(signal.SIGHUP, signal.SIG_IGN); end_by_signals(); signal.raise_signal(signal.SIGHUP); print(7)")
    assert (ended.returncode, ended.stdout) == (0, "7\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_outputs_are_no_error(closed: str, tmp_path: Path) -> None:
    """The next file that is opened would get the number of a closed output, and what is printed."""
    program = f"""
open_closed_streams()
allow_any_text()
file = open({str(tmp_path / "file")!r}, "w")
print("out", flush=True)
print("err", file=sys.stderr, flush=True)
os.write(1, b"low")
os.write(2, b"low")
exits._fail("a line", 3)
"""
    assert run(program, closed).returncode == 3
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize(("columns", "kept"), [("0", False), ("1", False), ("abc", False), ("-5", False), ("100", True)])
def test_a_width_that_is_none_is_forgotten(columns: str, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`COLUMNS=0 ganvas train --help` would wrap its words without end."""
    monkeypatch.setenv("COLUMNS", columns)
    ignore_odd_width()
    assert ("COLUMNS" in os.environ) is kept


@pytest.mark.parametrize("shape", [(2**63 - 1, 16), (2**40, 2**40), (2**50,), (2**70,)])
def test_a_network_that_no_memory_holds_is_no_bug(shape: tuple[int, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_and_exit(lambda: torch.empty(shape))
    assert ended.value.code == 5
    assert capsys.readouterr().err.startswith("ganvas: out of memory; ")


def test_ctrl_c_while_modules_are_imported_is_one_line() -> None:
    program = """
class Finder:
    def find_spec(self, name, *more):
        if name == "ganvas.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from ganvas.__main__ import main
main()
"""
    ended = run(program)
    assert (ended.returncode, ended.stderr) == (130, "ganvas: interrupted\n")


def test_ctrl_c_before_a_work_began_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        with interrupted_before("the search"):
            raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run_and_exit(interrupt)
    assert end.value.code == 130
    assert capsys.readouterr().err == "ganvas: interrupted before the search began; nothing is written\n"


def test_ctrl_c_before_the_training_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganvas.games.recipes.resolve_recipe", interrupt)
    with pytest.raises(SystemExit) as end:
        run_and_exit(lambda: app(["train", "gan-ring"], exit_on_error=False, print_error=False))
    assert end.value.code == 130
    assert capsys.readouterr().err == "ganvas: interrupted; what was saved before stays\n"

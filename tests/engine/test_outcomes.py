"""However an example ends, the engine says how and where, goes on with the others, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.session import failure_message
from engine.values.record import Outcome
from engine.values.run import Limits, Run

Write = Callable[..., Path]
Execute = Callable[..., dict[str, Run]]

GOOD = "# %% fine\nprint('fine')\n"

FAULTS = {
    "raise": ("raise ValueError('no way')", Outcome.FAILED, "ValueError: no way"),
    "sys.exit": ("import sys; sys.exit(3)", Outcome.FAILED, "SystemExit: 3"),
    "os._exit": ("import os; os._exit(3)", Outcome.KILLED, "the process exited with status 3"),
    "SIGKILL": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Outcome.KILLED, "killed by SIGKILL"),
    "segfault": ("import ctypes; ctypes.string_at(0)", Outcome.KILLED, "killed by SIGSEGV"),
    "endless": ("while True: pass", Outcome.TIMED_OUT, "still running after 5 s"),
    "memory": ("x = b'x' * (2 << 30)\nwhile True: pass", Outcome.KILLED, "used more than 2048 MiB of memory"),
    "flood": ("while True: print('x' * 1000)", Outcome.KILLED, "printed more than an example may"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_others_go_on(fault: str, project: Write, run: Execute) -> None:
    source, outcome, error = FAULTS[fault]
    folder = project(bad_py=f"# %% before\nx = 1\n\n# %% culprit\n{source}\n\n# %% after\nprint(x)\n", good_py=GOOD)
    runs = run(folder)

    assert runs["good.py"].record.succeeded
    before, culprit, after = runs["bad.py"].record.cells
    assert (before.outcome, culprit.outcome, after.outcome) == (Outcome.RAN, outcome, Outcome.SKIPPED)
    assert culprit.error == error
    message = failure_message(runs["bad.py"], folder / "bad.py")
    assert message.startswith(f"{folder / 'bad.py'}:7: cell 'culprit' {outcome}: {error}")


def test_a_cell_that_needs_an_npu_is_skipped_where_there_is_none(
    project: Write, run: Execute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = tmp_path / "standins.json"
    text = '# %% memory needs=["npu"]\nprint(1)\n\n# %% after\n\nprint(2 / 0)\n'
    for kind, count, outcomes, line in (
        ("cpu", 0, (Outcome.SKIPPED, Outcome.FAILED), 8),
        ("virtual-npu", 2, (Outcome.RAN, Outcome.FAILED), 8),
    ):
        report.write_text(f'{{"device": {{"kind": "{kind}", "count": {count}}}}}', encoding="utf-8")
        monkeypatch.setenv("STANDINS_REPORT", str(report))
        record = run(project(x_py=text))["x.py"].record
        assert tuple(cell.outcome for cell in record.cells) == outcomes
        assert record.cells[0].need == ("npu" if kind == "cpu" else "")
        assert record.failure and record.failure.error_line == line


def test_an_example_of_which_a_cell_was_skipped_has_succeeded(
    project: Write, run: Execute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = tmp_path / "standins.json"
    report.write_text('{"device": {"kind": "cpu", "count": 0}}', encoding="utf-8")
    monkeypatch.setenv("STANDINS_REPORT", str(report))
    assert run(project(x_py='# %% memory needs=["npu"]\nprint(1)\n'))["x.py"].record.succeeded


def test_a_failed_example_fails_again(project: Write, run: Execute) -> None:
    folder = project(bad_py="# %% culprit\nraise ValueError\n")
    assert not run(folder)["bad.py"].record.succeeded
    assert not run(folder)["bad.py"].record.succeeded


def test_the_line_is_that_of_the_innermost_frame_in_the_cell(project: Write, run: Execute) -> None:
    folder = project(bad_py="# %% define\ndef half(n):\n    return n / 0\n\n# %% call\n\nhalf(\n    3)\n")
    failure = run(folder)["bad.py"].record.failure
    assert failure and (failure.name, failure.error_line) == ("call", 9)


@pytest.mark.parametrize(
    ("source", "line", "error"),
    [
        ("echo one\nfalse\necho two", 5, "ExitStatus: line 2: exit status 1"),
        ("echo one\n\n(exit 7)\ntrue", 6, "ExitStatus: line 3: exit status 7"),
        ("echo one\n(exit 7) | cat\ntrue", 5, "ExitStatus: line 2: exit status 7"),
        ("printf 'a\\0b\\0'; (exit 7)", 4, "ExitStatus: line 1: exit status 7"),
        ("exit 3", 4, "ExitStatus: exit status 3"),
    ],
)
@pytest.mark.trial("torchrun that fails before a pipe: the cell had run, an ERROR line was its output")
def test_a_shell_example_ends_at_the_first_command_that_fails(
    source: str, line: int, error: str, project: Write, run: Execute
) -> None:
    """A shell example ends at the first command that fails, before a pipe as well."""
    record = run(project(bad_sh=f"# %% culprit\n{source}\n\n# %% after\necho never\n"))["bad.sh"].record
    assert record.failure and (record.failure.error_line, record.failure.error) == (line, error)
    assert record.cells[1].outcome is Outcome.SKIPPED


def test_a_shell_example_keeps_its_state_and_order_of_output(project: Write, run: Execute) -> None:
    text = "# %% set\nname=昇腾\ncd /\n\n# %% use\necho out; echo err >&2; echo $name; pwd\n"
    notebook = run(project(good_sh=text))["good.sh"].notebook
    assert "".join(output.text for output in notebook.cells[2].outputs) == "out\nerr\n昇腾\n/\n"


@pytest.mark.trial("torchrun that fails before a pipe: the cell had run, an ERROR line was its output")
def test_the_end_of_the_log_of_a_failed_shell_cell_is_shown(project: Write, run: Execute) -> None:
    """The failure shows the end of the log that the command wrote."""
    folder = project(x_sh="# %% train\n(echo step 1; echo cause >&2; exit 7) 2> train.log | grep step\n")
    assert failure_message(run(folder)["x.sh"], folder / "x.sh").endswith("its last output: step 1")
    assert "the end of train.log:\n    cause\n" in failure_message(run(folder)["x.sh"], folder / "x.sh")


def test_a_nul_in_an_output_is_not_shown_and_stops_nothing(project: Write, run: Execute) -> None:
    shell, python = "printf 'a\\0'; head -c 3 /dev/zero; printf 'b\\n\\0'\n", "print('a\\0\\0b')\n"
    runs = run(project(x_sh=f"# %% print\n{shell}\n# %% more\necho c\n", x_py=f"# %% print\n{python}"))
    assert [cell.outputs[0].text for cell in runs["x.sh"].notebook.cells[1:]] == ["ab\n", "c\n"]
    assert runs["x.py"].notebook.cells[1].outputs[0].text == "ab\n"


def test_nothing_outlives_an_example(project: Write, run: Execute) -> None:
    mark = f"{time.time():.6f}"  # an argument by which to find the processes again
    spawn = (
        "import subprocess, sys, time\n"
        f"code = 'import time; time.sleep(1000) # {mark}'\n"
        "subprocess.Popen([sys.executable, '-c', code])\n"
        "subprocess.Popen([sys.executable, '-c', code], start_new_session=True)\n"
        "time.sleep(1)\n"
    )
    run(project(endless_py=f"# %% spawn\n{spawn}while True: pass\n", good_py=f"# %% spawn\n{spawn}"))
    left = [process for process in psutil.process_iter(["cmdline"]) if mark in " ".join(process.info["cmdline"] or [])]
    assert not left


def test_examples_do_not_see_each_other(project: Write, run: Execute) -> None:
    write = "# %% write\nimport os\nfrom pathlib import Path\nPath('here').touch(); os.environ['SET'] = '1'\n"
    look = "# %% look\nimport os\nfrom pathlib import Path\nprint(sorted(os.listdir()), 'SET' in os.environ)\n"
    runs = run(project(a_py=write, b_py=look))
    assert runs["b.py"].notebook.cells[1].outputs[0].text == "['b.py'] False\n"


def test_an_example_finds_the_neighbours_that_it_names(project: Write, run: Execute) -> None:
    runs = run(project(launch_sh="# %% go\npython script.py\n", script_py="# %% say\nprint('said')\n"))
    assert runs["launch.sh"].notebook.cells[1].outputs[0].text == "said\n"


def test_a_progress_bar_looks_as_it_does_to_a_person(project: Write, run: Execute) -> None:
    text = "# %% bar\nfrom tqdm.auto import tqdm\nfor _ in tqdm(range(50), desc='Map'): pass\n"
    output = run(project(bar_py=text))["bar.py"].notebook.cells[1].outputs[0]
    assert output.name == "stderr"
    assert output.text.count("\n") == 1 and output.text.startswith("Map: 100%")


def test_where_models_and_batches_are_is_observed(project: Write, run: Execute) -> None:
    text = "# %% call\nimport torch\ntorch.nn.Linear(2, 2)(torch.ones(1, 2))\n"
    device = run(project(cpu_py=text))["cpu.py"].record.device
    assert (device.models, device.batches) == (("cpu",), ("cpu",))


CALL = "import torch; torch.nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()"
TWICE = f"""python -c '{CALL}'
python -c '{CALL}; import os, signal; os.kill(os.getpid(), signal.SIGKILL)' || true
"""


def test_what_an_example_starts_is_observed_too(project: Write, run: Execute) -> None:
    """torchrun's processes for one, and one that is killed."""
    start = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {CALL!r}], check=True)\n"
    last = TWICE.splitlines()[-1]
    texts = {"x_sh": TWICE, "killed_sh": last, "x_py": start}
    folder = project(**{name: f"# %% train\n{text}" for name, text in texts.items()})
    runs = run(folder, Limits(cell_seconds=120, example_seconds=120))
    for name in ("x.sh", "killed.sh", "x.py"):
        assert runs[name].record.succeeded, failure_message(runs[name], Path(name))
        device = runs[name].record.device
        assert (device.models, device.batches) == (("cpu",), ("cpu",)), name


def test_what_is_observed_changes_no_path_of_a_child(project: Write, run: Execute) -> None:
    look = "import sys; print([folder for folder in sys.path if 'children' in folder], 'tor' + 'ch' in sys.modules)"
    runs = run(project(x_sh=f'# %% look\npython -c "{look}"\n'))
    assert runs["x.sh"].notebook.cells[1].outputs[0].text == "[] False\n"


def test_limits_count_for_the_whole_example_too(project: Write, run: Execute) -> None:
    text = "".join(f"# %% nap{n}\nimport time; time.sleep(1.5)\n\n" for n in range(4))
    record = run(project(slow_py=text), Limits(cell_seconds=10, example_seconds=3))["slow.py"].record
    assert record.failure and record.failure.outcome is Outcome.TIMED_OUT


def test_a_figure_is_an_output_of_its_cell(project: Write, run: Execute) -> None:
    text = "# %% plot\nimport matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\nfigure.savefig('x.png')\n"
    (output,) = run(project(plot_py=text))["plot.py"].notebook.cells[1].outputs
    assert "image/png" in output.data


def test_only_what_is_printed_is_shown(project: Write, run: Execute) -> None:
    """As ``python FILE`` has it: the value of a last expression is not printed."""
    (cell,) = run(project(value_py="# %% value\n1 + 1\n"))["value.py"].notebook.cells[1:]
    assert not cell.outputs


def test_a_library_warning_is_shown_in_its_cell(project: Write, run: Execute) -> None:
    text = "# %% warn\nfrom transformers.utils import logging\nlogging.get_logger().warning('mind this')\n"
    (output,) = run(project(warn_py=text))["warn.py"].notebook.cells[1].outputs
    assert output.name == "stderr" and "mind this" in output.text


def test_paths_are_those_a_reader_would_have(project: Write, run: Execute) -> None:
    text = "# %% show\nimport os, json\nprint(os.getcwd())\nprint(json.__file__)\n"
    (cell,) = run(project(paths_py=text))["paths.py"].notebook.cells[1:]
    printed = cell.outputs[0].text
    assert printed == "~/work\npython/json/__init__.py\n"


def test_paths_in_tracebacks_are_shortened(project: Write, run: Execute) -> None:
    runs = run(project(bad_py="# %% culprit\nimport json\njson.loads('')\n"))
    failure = runs["bad.py"].record.failure
    assert failure and "File python/json/__init__.py" in failure.traceback

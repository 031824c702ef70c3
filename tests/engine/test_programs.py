"""A Python program that a shell example starts does the same, forked or from nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.kernel.zygote import READ_LATE
from engine.values.run import Limits, Run

Write = Callable[..., Path]
Execute = Callable[..., dict[str, Run]]

LONGER = Limits(cell_seconds=120, example_seconds=300)
PROGRAM = """
import atexit, os, signal, sys, threading, time  # no torch, but it is named
print(__name__, __file__, sys.argv, os.getcwd(), sys.executable, sys.flags.interactive)
print(sys.path, os.environ.get("RANK"), sys.stdin.read(), sys.stdout.encoding, sys.stderr.encoding)
print([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)])
print([name for name in sys.modules if name.partition(".")[0] == "engine"], threading.current_thread().name)
print("warning", file=sys.stderr)
file = open("left_open", "w")
file.write("written")
atexit.register(print, "at exit")
threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
"""
ENDS = {
    "well": "print('end')",
    "status": "sys.exit(7)",
    "words": "sys.exit('these words')",
    "error": "import torch\ndef f():\n    1 / 0\nf()",
    "interrupt": "raise KeyboardInterrupt",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
}
BOTH_WAYS = """
for end in {ends}; do
    for way in forked fresh; do
        [ $way = forked ] && export EXAMPLE_ZYGOTE=$zygote || unset EXAMPLE_ZYGOTE
        {{ echo text | RANK=3 python -u $end.py a "b c" > out 2> err || echo "status $?" >> out; }} 2> /dev/null
        [ ! -e left_open ] || cat left_open >> out
        cat out err | sed 's/.*ERR9/ERR9/' | sort > $end.$way  # torch_npu tells at its exit, with the time
        rm -f left_open
    done
    diff $end.forked $end.fresh || true
done
"""
ASK = "import os; print(os.getppid())  # torch"


def printed(run: Run) -> list[str]:
    """By each cell."""
    assert run.record.succeeded, run.record.failure
    return ["".join(output.text for output in cell.outputs) for cell in run.notebook.cells[1:]]


def test_a_forked_program_prints_and_ends_as_a_fresh_one(project: Write, run: Execute) -> None:
    programs = "".join(f"cat > {end}.py <<'END'\n{PROGRAM}\n{code}\nEND\n" for end, code in ENDS.items())
    both = BOTH_WAYS.format(ends=" ".join(ENDS))
    folder = project(
        x_sh=f"# %% write\nzygote=$EXAMPLE_ZYGOTE\n{programs}\n# %% run\n{both}\n# %% show\ncat error.forked\n"
    )
    _, differences, shown = printed(run(folder, LONGER)["x.sh"])
    assert differences == ""
    assert {"status 1", "thread", "at exit", "ZeroDivisionError: division by zero"} <= {*shown.splitlines()}
    assert "ERR99999" in shown and "writtenwarning" in shown


@pytest.mark.parametrize(
    ("command", "forked"),
    {
        f'python -c "{ASK}"': True,
        f"echo '{ASK}' > ask.py; python ask.py": True,
        f"echo '{ASK}' > ask.py; LOCAL_RANK=1 ASCEND_RT_VISIBLE_DEVICES=1 python -u ask.py": True,
        f"mkdir sub; echo '{ASK}' > sub/ask.py; cd sub; python ask.py; cd ..": True,
        f"mkdir -p sub/pandas; echo '{ASK}' > sub/ask.py; cd sub; python ask.py; cd ..": False,
        f"echo '{ASK}' > ask.py; python -m ask": False,
        f"echo '{ASK}' > ask.py; python -W error ask.py": False,
        f"echo '{ASK}' > ask.py; TASK_QUEUE_ENABLE=2 python ask.py": False,
        f"echo '{ASK}' > ask.py; touch datasets.py; python ask.py": False,
        f"echo '{ASK}' > ask.py; mkdir pandas; python ask.py": False,
        f"echo '{ASK}' > ask.py; python ask.py 3< ask.py": False,
        f"echo '{ASK}' > ask.py; mkdir other; PYTHONPATH=other:$PYTHONPATH python ask.py": False,
        'python -c "import os; print(os.getppid())"': False,
    }.items(),
)
def test_what_importing_could_depend_on_starts_from_nothing(
    project: Write, run: Execute, command: str, forked: bool
) -> None:
    ran = run(project(x_sh=f"# %% shell\necho $$ # torch\n\n# %% ask\n{command}\n"), LONGER)["x.sh"]
    shell, parent = printed(ran)
    assert (parent != shell) == forked


def test_signals_reach_it_and_it_dies_with_who_asked(project: Write, run: Execute) -> None:
    """As the shell would see it of a program of its own: the status, and that it is gone."""
    program = "import os, sys, time  # torch\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    started = "python sleeps.py > pid & until [ -s pid ]; do sleep 0.1; done"
    gone = "sleep 0.3; ! kill -0 $(cat pid) 2> /dev/null"
    shell = "".join(
        f"{started}; kill -{name} $!; wait $! 2> /dev/null || echo {name} $?\n{gone}\n" for name in ("TERM", "KILL")
    )
    ran = run(project(x_sh=f"# %% write\ncat > sleeps.py <<'END'\n{program}\nEND\n\n# %% end\n{shell}"), LONGER)["x.sh"]
    assert printed(ran)[1].split("\n") == ["TERM 143", "KILL 137", ""]


def test_a_program_whose_zygote_is_gone_has_not_ended_well(project: Write, run: Execute) -> None:
    program = "import os, time  # torch\nprint(os.getppid(), flush=True)\ntime.sleep(60)"
    shell = "python sleeps.py > zygote & until [ -s zygote ]; do sleep 0.1; done\nkill -KILL $(cat zygote)\n"
    shell += "wait $! || echo status $?\npython -c 'print(1)  # torch'"
    ran = run(project(x_sh=f"# %% write\ncat > sleeps.py <<'END'\n{program}\nEND\n\n# %% end\n{shell}"), LONGER)["x.sh"]
    assert printed(ran)[1] == "status 1\n1\n"


def test_nothing_that_a_launcher_changes_is_read_while_libraries_are_imported() -> None:
    """Names that are read then, of those that the zygote takes for read late; a shell sets its own in any case."""
    code = """
import os
class Noted(type(os.environ)):
    def __getitem__(self, name):
        names.add(name)
        return super().__getitem__(name)
    def __contains__(self, name):
        names.add(name)
        return super().__contains__(name)
    get = lambda self, name, default=None: self[name] if name in self else default
names = set()
os.environ.__class__ = Noted
import engine.kernel.preload
print(*names, sep="\\n")
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ})
    read = set(ran.stdout.splitlines())
    assert {"HF_HOME", "TORCH_DEVICE_BACKEND_AUTOLOAD"} <= read
    late = {name for name in read if READ_LATE.fullmatch(f"{name}=")}
    assert late <= {"_", "PWD", "OLDPWD", "SHLVL"}

"""Machines as they come: shells of training pods, long and locked folders, other users, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from standins.assets import PreparationError
from standins.assets.manifest import survey
from standins.assets.store import publish
from standins.npu import build
from standins.npu.versions import installed_torch
from standins.provision import home

ROOT = Path(__file__).parents[2]
STANDINS = [sys.executable, "-m", "standins"]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command among the stand-ins, from a shell that has these variables."""
    environment = {**os.environ, **variables}
    return subprocess.run([*STANDINS, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.trial(
    "ASCEND_RT_VISIBLE_DEVICES, RANK and WORLD_SIZE set in the shell: too few cards, or no output for 60 s"
)
def test_what_a_training_pod_has_set_reaches_no_example() -> None:
    """None of them reaches an example: it sees all virtual cards, and starts alone."""
    left = {
        "RANK": "0",
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "10.0.0.1",
        "ASCEND_RT_VISIBLE_DEVICES": "7",
        "LOCAL_RANK": "0",
    }
    code = f"import os, torch; print(torch.npu.device_count(), [n for n in {list(left)} if n in os.environ])"
    done = run("python", "-c", code, **left)
    assert done.stdout == "4 []\n", done.stderr


@pytest.mark.trial(
    "SIGTERM during make test: two torchruns lived on, folders stayed in the home and the temporary folder"
)
def test_nothing_is_written_outside_our_folders() -> None:
    """What libraries write unasked goes into folders that end with the run.

    IPython and matplotlib write into the home, tiktoken and torchrun into the temporary folder.
    """
    code = (
        "import IPython.paths, matplotlib, os, tempfile; IPython.paths.get_ipython_dir(); matplotlib.get_cachedir(); "
        "tempfile.mkdtemp(prefix='torchelastic_'); print(tempfile.gettempdir())"
    )
    with tempfile.TemporaryDirectory() as user, tempfile.TemporaryDirectory() as temporary:
        done = run("python", "-c", code, HOME=user, STANDINS_HOME=str(home()), TMPDIR=temporary)
        assert Path(done.stdout.strip()).is_relative_to(temporary), done.stderr
        assert [*Path(user).rglob("*"), *Path(temporary).rglob("*")] == []


@pytest.mark.trial("TMPDIR of 115 characters: AF_UNIX path too long")
def test_a_temporary_folder_may_have_a_long_path(tmp_path: Path) -> None:
    """Sockets lie in a short folder."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    code = "import multiprocessing.connection as c; c.Listener(family='AF_UNIX').close(); print('listens')"
    assert run("python", "-c", code, TMPDIR=str(long)).stdout == "listens\n"


@pytest.mark.trial("A home or a cache that can not be written: PermissionError, a traceback")
def test_one_that_can_not_be_written_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder that can not be written is one sentence that names TMPDIR."""
    from standins.__main__ import scratch_folder

    monkeypatch.setattr(tempfile, "tempdir", "/proc")  # root may write everywhere else
    with pytest.raises(PreparationError, match=r"^/proc/standins-\w+: .*; set TMPDIR to a folder"):
        scratch_folder()


@pytest.mark.trial(
    "SIGTERM during make test: two torchruns lived on, folders stayed in the home and the temporary folder"
)
def test_sigterm_leaves_nobody(tmp_path: Path) -> None:
    """All that was started ends with it, in sessions of its own as well."""
    mark = f"{time.time_ns()}"
    sleep = f"[sys.executable, '-c', 'import time; time.sleep(1000) # {mark}']"
    code = (
        f"import subprocess, sys; subprocess.Popen({sleep}, start_new_session=True); subprocess.Popen({sleep}).wait()"
    )
    started = subprocess.Popen(
        [*STANDINS, "sh", "-c", f'python -c "{code}"; true'], cwd=ROOT, stderr=subprocess.DEVNULL
    )

    def alive() -> int:
        return sum(mark in " ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"]))

    until = time.monotonic() + 120
    while alive() < 4 and time.monotonic() < until:  # sh, python and its two children
        time.sleep(0.1)
    assert alive() >= 4
    started.send_signal(signal.SIGTERM)
    assert started.wait(60) == 128 + signal.SIGTERM
    assert alive() == 0


@pytest.mark.trial("A second user on one cache: files were for the first alone, downloads broke off")
def test_a_second_user_can_read_what_the_first_has_made(tmp_path: Path) -> None:
    """What is made is readable for all who may enter the folder."""
    store = tmp_path / "store"
    made = tmp_path / "made"
    store.mkdir(mode=0o755)
    (made / "files").mkdir(parents=True, mode=0o700)
    (made / "files/model.safetensors").write_text("weights")
    (made / "files/model.safetensors").chmod(0o600)  # as safetensors writes it
    publish(made, store / "asset")
    assert {oct(path.stat().st_mode & 0o777) for path in store.rglob("*")} == {"0o755", "0o644"}


@pytest.mark.trial("A second user on one cache: files were for the first alone, downloads broke off")
def test_he_can_use_the_libraries_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries are readable too, though the first user's files are for himself alone."""
    torch = installed_torch()
    assert torch
    monkeypatch.setattr(build, "LIBRARIES", ())
    monkeypatch.setattr(build, "ALIASES", {"libascendcl.so": ("libatb",)})
    monkeypatch.setattr(build.symbols, "check", lambda *_: None)
    tmp_path.chmod(0o755)
    (tmp_path / "npu").mkdir(mode=0o755)
    usual = os.umask(0o077)
    try:
        folder = build.built(tmp_path, torch)
    finally:
        os.umask(usual)
    modes = {oct(each.stat().st_mode & 0o777) for each in (folder, *folder.rglob("*")) if not each.is_symlink()}
    assert modes == {"0o755", "0o644"}


# A container as small as they come: no IPv6, 64 MB of shared memory, one core, files for their owner alone, a home
# that can not be written; what it has instead comes behind it.
SMALL = [
    "unshare",
    "--net",
    "--mount",
    "sh",
    "-c",
    "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && ip link set lo up && "
    'mount -t tmpfs -o size=64m none /dev/shm && umask 077 && HOME=/proc exec taskset --cpu-list 0 "$@"',
    "sh",
]
RANKS = """
import os, torch
torch.distributed.init_process_group("hccl")
rank = torch.distributed.get_rank()
batch = torch.utils.data.DataLoader(range(64), batch_size=64, num_workers=2)
total = sum(int(numbers.sum()) for numbers in batch) + torch.full((1 << 20,), 1.0, device=f"npu:{rank}")
torch.distributed.all_reduce(total)
print("sum", total[0].item(), flush=True)
torch.distributed.destroy_process_group()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take IPv6 and shared memory away")
@pytest.mark.trial("No IPv6, 64 MB of /dev/shm, one core, umask 077")
def test_a_small_container_has_hubs_and_two_ranks(tmp_path: Path) -> None:
    """What is left of the machine is enough, for the engine and for what an example starts."""
    (tmp_path / "ranks.py").write_text(RANKS)
    script = (
        "! getent ahostsv6 localhost | grep -q ::1$ && nproc && umask && df -m --output=size /dev/shm | tail -1 && "
        "hf download HuggingFaceTB/SmolLM2-135M-Instruct config.json --quiet >/dev/null && echo downloaded && "
        f"torchrun --standalone --nproc_per_node 2 {tmp_path}/ranks.py && "
        "python -c 'from engine.cache import Cache; from engine.session import Session; "
        'print("jobs", Session(Cache("unused")).jobs)\''
    )
    environment = {**os.environ, "STANDINS_HOME": str(home())}
    done = subprocess.run(
        [*SMALL, *STANDINS, "sh", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:4] == ["1", "0077", "64", "downloaded"], done.stdout
    assert done.stdout.count("4034.0") == 2 and done.stdout.endswith("jobs 1\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take shared memory away")
@pytest.mark.trial("No IPv6, 64 MB of /dev/shm, one core, umask 077")
def test_shared_memory_that_is_too_small_for_the_ranks_is_a_sentence(tmp_path: Path) -> None:
    """Where /dev/shm is too small for the ranks a sentence says so: 2 need 7 MiB, 8 need 73.

    A container has 64 MB; 2 ranks need 7 and 8 ranks 73.
    """
    (tmp_path / "ranks.py").write_text(RANKS)
    tiny = [each.replace("size=64m", "size=4m") for each in SMALL]
    done = subprocess.run(
        [*tiny, *STANDINS, "torchrun", "--standalone", "--nproc_per_node", "2", str(tmp_path / "ranks.py")],
        cwd=ROOT,
        env={**os.environ, "STANDINS_HOME": str(home())},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    assert "MiB of /dev/shm, and 4 MiB are free; a container gets more by --shm-size or --ipc=host" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a name")
@pytest.mark.trial("docker run -u: torch 2.9 with torch_npu ended in getpwuid(): uid not found")
def test_a_user_without_a_name_can_compute() -> None:
    """With the site's torch a user without a name computes; for older ones docs/containers.rst says what to add."""
    nobody = ["env", "-u", "USER", "-u", "LOGNAME", "unshare", "--user", "--map-user=12345"]
    done = run(
        *nobody, "python", "-c", "import os, torch; print(os.getuid(), torch.ones(2, device='npu').sum().item())"
    )
    assert done.stdout == "12345 2.0\n", done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.trial("A second user on one cache: files were for the first alone, downloads broke off")
def test_what_he_can_not_read_is_no_asset_for_him(tmp_path: Path) -> None:
    """What he can not read all the same is no asset for him: he makes his own."""
    file = tmp_path / "model.safetensors"
    file.write_text("weights")
    file.chmod(0o600)
    (record,) = survey(tmp_path, "recipe").records
    assert record.untouched(tmp_path)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder != Path("/") and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o005)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        os._exit(record.untouched(tmp_path))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

"""``python -m sets.elsewhere SUITE ARCHITECTURE SET EXAMPLE ...``: a set on another architecture, or another Python.

It runs these examples in a root of Debian's or Ubuntu's packages (mmdebstrap gets them) with the Python of that
release, from the first step of an install on.  What this processor does not understand QEMU emulates, instruction by
instruction: the wheels, the compiler and the libraries are those of such a host, its speed is not.  There uv, which is
not emulated, takes pip's place: it asks that Python what it is, and installs for it.  The record, in
``sets/records/elsewhere``, says so.  With ``STANDINS_HOME`` it uses the assets that lie there; otherwise it makes its
own, which takes long when it is emulated.  ``python -m sets.elsewhere bookworm arm64 cann-9.0 tokenizer.py`` for one.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from sets import every_set
from sets.__main__ import requirements

ROOT = Path(__file__).parents[1]
PACKAGES = "python3-venv,python3-dev,g++,make,ca-certificates,procps"
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}  # Debian's names, and the kernel's
PASSED_ON = ("PIP_", "UV_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http", "no_proxy")
# How the kernel knows a program for aarch64 (bytes of its head, and which of their bits count), and who runs it; by
# the letter F this interpreter is opened here, and needs to be in no root.
AARCH64 = (
    r":aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:%s:F"
)
# Namespaces of its own: neither the mounts nor the interpreter are there for any other program of this machine.
ENTER = """
set -e
if [ "$INTERPRETER" ]; then
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  printf '%s' "$INTERPRETER" > /proc/sys/fs/binfmt_misc/register
fi
mkdir -p "$NEW/guide" "$NEW/cache" "$NEW.build" "$CACHE"
for folder in dev proc sys; do mkdir -p "$NEW/$folder" && mount --rbind "/$folder" "$NEW/$folder"; done
mount --bind . "$NEW/guide" && mount --bind "$NEW.build" "$NEW/guide/_build" && mount --bind "$CACHE" "$NEW/cache"
exec chroot "$NEW" sh -c 'cd /guide && exec "$@"' sh "$@"
"""
CPU = "neoverse-n1"  # Armv8.2 like a Kunpeng 920: no instructions for bfloat16, no SVE
INSTALL = """
set -e
[ -e "$0/bin/python" ] || uv venv --python /usr/bin/python3 "$0"
uv pip install --python "$0/bin/python" --requirement /packages.txt
exec "$@"
"""


def main(suite: str, architecture: str, chosen: str, examples: list[str]) -> int:
    """The exit code of ``make set`` there."""
    emulator = "" if MACHINES[architecture] == platform.machine() else found("qemu-aarch64-static", "qemu-user-static")
    root = made(suite, architecture)
    command = ["make", "set", f"SET={chosen}", f"X={' '.join(examples)}"]
    if emulator:
        give_uv(root, requirements(chosen))
        command = ["sh", "-c", INSTALL, f"_build/sets/{chosen}/venv", *command]
    environment = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)} | {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "STANDINS_HOME": "/cache",
        "ELSEWHERE": ", ".join(filter(None, [suite, emulator and f"{version(emulator)} ({CPU})"])),
        "QEMU_CPU": CPU,
        "UV_CACHE_DIR": "_build/uv",
        "INTERPRETER": emulator and AARCH64 % emulator,
        "NEW": str(root),
        "CACHE": os.environ.get("STANDINS_HOME") or str(ROOT / "_build/elsewhere/cache"),
    }
    return subprocess.call(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", ENTER, "sh", *command], cwd=ROOT, env=environment
    )


def found(program: str, package: str) -> str:
    """Its path; exits with a sentence where there is none."""
    path = shutil.which(program)
    if not path:
        sys.exit(f"{program} is needed; on Debian and Ubuntu: apt-get install {package}")
    return path


def version(emulator: str) -> str:
    """As in ``QEMU 7.2.22``."""
    return "QEMU " + subprocess.check_output([emulator, "--version"], text=True).split()[2]


def made(suite: str, architecture: str) -> Path:
    """A folder with the packages of that release: unpacked, so that nothing of it runs before it is entered."""
    root = ROOT / "_build/elsewhere" / f"{suite}-{architecture}"
    if not root.is_dir():
        command = [found("mmdebstrap", "mmdebstrap"), "--variant=extract", f"--architectures={architecture}"]
        unfinished = root.with_name(f"{root.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        if subprocess.call([*command, "--include=?essential", f"--include={PACKAGES}", suite, str(unfinished)]):
            sys.exit(f"no packages of {suite} for {architecture}, see above")
        for file in ("resolv.conf", "hosts", "passwd", "ssl/certs/ca-certificates.crt"):  # torch_npu asks who it is
            (unfinished / "etc" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(f"/etc/{file}", unfinished / "etc" / file)
        unfinished.rename(root)
    return root


def give_uv(root: Path, packages: list[str]) -> None:
    """What installs these packages there, at the speed of this processor."""
    (root / "packages.txt").write_text("\n".join(packages) + "\n")
    if not get_uv(root / "usr/bin/uv"):
        sys.exit("uv is needed, see above")


def get_uv(file: Path) -> bool:
    """Whether a package registry has uv, as a program that needs no libraries and runs in every root."""
    static = f"musllinux_1_1_{platform.machine()}"
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.call([*download, "--platform", static, "--dest", folder, "uv"]):
            return False
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith("/scripts/uv"))
            file.write_bytes(archive.read(name))
    file.chmod(0o755)
    return True


if __name__ == "__main__":
    known = every_set()
    if len(sys.argv) < 5 or sys.argv[2] not in MACHINES or sys.argv[3] not in known:
        sys.exit(
            f"{(__doc__ or '').partition(':')[0]}; architectures are {', '.join(MACHINES)}, sets {', '.join(known)}"
        )
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))

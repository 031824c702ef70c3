"""The path that the guide exists for, rehearsed: on a host with cards, an environment of one's own and CANN."""

from __future__ import annotations

import json
import re
import shutil
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from engine.__main__ import chosen_limits, parsed
from engine.values.run import UNLIMITED, Limits
from standins.npu import MARK
from tests.build.small_site import Project
from tests.hosts.conftest import ROOT, AscendHost, rename_mark

Host = Callable[[int], AscendHost]
DEVICE = "json.load(open(os.environ['STANDINS_REPORT']))['device']"
X = '''"""X"""

# %% train
import torch

model = torch.nn.Linear(2, 1).to("npu:0")
print("loss", model(torch.ones(1, 2, device="npu:0")).sum().item())

# %% many needs=["npu>=2"]
print("cards", torch.npu.device_count())
'''

Y = '# Y\n\n# %% say\necho "two is $((1 + 1))"\n'
PAGE = "Site\n====\n\n.. cells:: x.py train many\n\n.. cells:: y.sh say\n\n.. verification::\n"

SAID_OF_BOTH = "虚拟 NPU 分毫不差。"  # what was not dropped the badge speaks of
OF_NO_CHIP = f"{SAID_OF_BOTH}\n\n.. only:: not ascend\n\n   这里是虚拟的。\n"

VIRTUAL = re.compile(r"虚拟(?!环境)|virtual(?! env)", re.IGNORECASE)

PARENT = "\n# %% parent\nimport pathlib, os\nprint(pathlib.Path(f'/proc/{os.getppid()}/cmdline').read_text())\n"


@pytest.mark.trial("A device file without CANN, stand-in libraries posing as CANN, --real over them: taken for silicon")
def test_it_is_taken_for_silicon(host: Host) -> None:
    """A device file and CANN together are silicon, with as many cards as there are."""
    code = f"import json, os, torch; print({DEVICE}, torch.npu.device_count())"
    done = host(2).run(sys.executable, "-m", "standins", "python", "-c", code)
    assert "'kind': 'npu'" in done.stdout and done.stdout.strip().endswith("2"), done.stdout + done.stderr


@pytest.fixture
def copied(host: Host, tmp_path: Path) -> AscendHost:
    """A host with libraries of its own, to change."""
    shutil.copytree(host(1).cann, tmp_path / "cann", symlinks=True)
    return AscendHost(tmp_path / "cann", 1)


@pytest.mark.trial("A device file without CANN, stand-in libraries posing as CANN, --real over them: taken for silicon")
def test_the_stand_in_libraries_are_not(copied: AscendHost, tmp_path: Path) -> None:
    """Stand-in libraries are known by their mark: --real refuses them in a sentence."""
    (copied.cann / MARK).touch()
    example = tmp_path / "x.py"
    example.write_text(X)
    refused = copied.run(sys.executable, "-m", "engine", "run", "--real", str(example))
    assert refused.returncode == 2
    assert refused.stderr == (
        f"{copied.cann} is a stand-in for CANN, with no chip behind it; source the set_env.sh of a CANN\n"
    )
    code = f"import json, os; print({DEVICE}['kind'])"
    assert copied.run(sys.executable, "-m", "standins", "python", "-c", code).stdout == "virtual-npu\n"


@pytest.mark.trial("A device file without CANN, stand-in libraries posing as CANN, --real over them: taken for silicon")
def test_nor_are_they_in_another_folder(copied: AscendHost, tmp_path: Path) -> None:
    """Without the file that marks them the library that was loaded tells it, and nothing is recorded."""
    rename_mark(copied.cann, back=True)
    example = tmp_path / "x.py"
    example.write_text(X)
    run = [sys.executable, "-m", "engine", "run", "--cache", str(tmp_path / "cache"), "--record", str(tmp_path)]
    refused = copied.run(*run, "--real", str(example))
    assert refused.returncode == 2
    assert refused.stderr.endswith("x.py met libraries that stand in for CANN: nothing is recorded\n")
    assert not (tmp_path / "x.py.json").exists()
    assert copied.run(*run, str(example)).returncode == 0
    assert json.loads((tmp_path / "x.py.json").read_text())["device"]["kind"] == "virtual-npu"


@pytest.mark.parametrize("cards", [1, 8])
@pytest.mark.trial("1 or 2 cards: cells that want four failed with exit status 1 and no log")
def test_a_run_is_recorded_as_one_on_silicon(host: Host, tmp_path: Path, cards: int) -> None:
    """A cell that wants more cards is skipped; a run on one card or eight is recorded as one on silicon."""
    Project(tmp_path).write(x_py=X)
    (record,) = recorded(host(cards), tmp_path, "x.py")
    assert record["device"]["kind"] == "npu" and record["device"]["models"] == ["npu:0"]
    assert record["standins"] == []
    assert [cell["outcome"] for cell in record["cells"]] == ["ran", "ran" if cards > 1 else "skipped"]


@pytest.mark.trial(
    "Silicon: a limit of 300 s, numbers of the virtual device as judges, an example off the card called CPU"
)
def test_a_record_goes_from_the_first_command_to_its_column(host: Host, tmp_path: Path) -> None:
    """A record made there is a column of a site that is built elsewhere, shell examples as well."""
    project = Project(tmp_path)
    project.write(index=PAGE, x_py=X, y_sh=Y)
    _, shell = recorded(host(2), tmp_path, "x.py", "y.sh")
    assert shell["device"]["kind"] == "npu" and shell["standins"] == [], "though it needs no card"
    built = project.build()
    assert built.code == 0, built.errors
    page = unescape(built.page("index"))
    assert "Atlas 800T A2: 昇腾 NPU Ascend910B3" in page and "虚拟 NPU" in page
    assert page.count("cards 2") == 1 and page.count("cards 4") == 1, "both outputs, each behind its tab"
    assert page.count("two is 2") == 2, "of the shell example as well"


def recorded(on: AscendHost, folder: Path, *names: str) -> list[dict[str, Any]]:
    """Run these examples there with the command that a page shows, for the column of a host."""
    records = folder / "records/Atlas 800T A2"
    command = [sys.executable, "-m", "engine", "run", "--real", "--cache", str(folder / "cache")]
    done = on.run(*command, "--record", str(records), *(str(folder / "examples" / name) for name in names))
    assert done.returncode == 0, done.stderr
    return [json.loads((records / f"{name}.json").read_text(encoding="utf-8")) for name in names]


@pytest.mark.trial("A site that is built on silicon: seven pages spoke of a virtual NPU")
def test_make_html_builds_a_site_there_that_says_what_it_ran_on(host: Host, tmp_path: Path) -> None:
    """In an environment of one's own make html runs to its end, and no page but speaks of the NPU.

    Its example is named as one with recorded numbers, and prints others: those of the virtual device do not judge it.
    """
    repository = small_repository(tmp_path / "guide")
    Project(repository).write(
        index="Site\n====\n\n.. toctree::\n\n   page\n",
        page="Page\n====\n\n.. cells:: lora_memory.py memory many parent\n\n.. verification::\n\n" + OF_NO_CHIP,
        lora_memory_py=X.replace("# %% train", "# %% memory") + PARENT,
    )
    given = environment_of_a_reader(tmp_path / "my venv")
    done = host(8).run("make", "html", f"VENV={given}", cwd=repository)
    assert done.returncode == 0, done.stdout + done.stderr
    page, english = (
        unescape((repository / "_build/html" / name).read_text(encoding="utf-8"))
        for name in ("page.html", "en/page.html")
    )
    assert "昇腾 NPU" in page and "cards 8" in page and "是在上面的昇腾 NPU 上运行的" in page
    site = repository / "_build/html"
    shown = {file.relative_to(site): visible(file).replace(SAID_OF_BOTH, "") for file in site.rglob("*.html")}
    assert {Path("page.html"), Path("en/page.html")} <= shown.keys()
    assert [str(name) for name, text in shown.items() if VIRTUAL.search(text)] == [], "no page, in no language"
    assert "Ascend NPU Ascend910B3" in english
    assert "forkserver" not in page, "what has loaded CANN is not forked"
    record = json.loads((repository / "_build/html/verification.json").read_text(encoding="utf-8"))["build"]
    device, standins = record["lora_memory.py"]["device"], record["lora_memory.py"]["standins"]
    assert device["kind"] == "npu" and "npu:0" not in [each["name"] for each in standins]


def visible(page: Path) -> str:
    """Its text, without what only a browser reads."""
    text = re.sub(r"<(script|style).*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", text))


def small_repository(folder: Path) -> Path:
    """This one with other pages and examples."""
    (folder / "docs/locale/en/LC_MESSAGES").mkdir(parents=True)
    code = ("Makefile", "bootstrap.py", "conf.py", "engine", "golden", "requirements", "sets", "standins")
    shared = ("_ext", "_static", "_templates", "data", "locale/en/LC_MESSAGES/guide.po")
    for name in (*code, *(f"docs/{each}" for each in shared)):
        (folder / name).symlink_to(ROOT / name)
    return folder


def environment_of_a_reader(folder: Path) -> Path:
    """One that bears no mark of ours, with the packages of this one."""
    venv.create(folder, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(packages) / "packages.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.mark.trial(
    "Silicon: a limit of 300 s, numbers of the virtual device as judges, an example off the card called CPU"
)
def test_an_8b_takes_what_it_takes_unless_told_otherwise() -> None:
    """With --real there are no limits but those one asks for."""
    assert chosen_limits(parsed(["run", "x.py"])) == Limits()
    assert chosen_limits(parsed(["run", "--real", "x.py"])) == UNLIMITED
    told = parsed(["run", "--real", "--cell-seconds", "7200", "--memory-gib", "1.5", "x.py"])
    assert chosen_limits(told) == replace(UNLIMITED, cell_seconds=7200, memory_bytes=3 << 29)

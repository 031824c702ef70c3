"""What we use of others' insides beyond what they promise: which upgrade broke it, which file of ours to look at."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import version

import pytest
import sphinx
from small_site import ROOT
from sphinx.builders.html import StandaloneHTMLBuilder

REHEARSING = "standins/rehearsal/start-up"
SEARCH = "docs/_ext/guide/search/index.py"

NAMES = [  # distribution, module, name in it, file of ours
    ("myst-nb", "myst_nb.core.execute.cache", "NotebookClientCache", "docs/_ext/guide/building/no_execution.py"),
    ("myst-nb", "myst_nb.core.execute.direct", "NotebookClientDirect", "docs/_ext/guide/building/no_execution.py"),
    ("myst-nb", "myst_nb.core.execute.inline", "NotebookClientInline", "docs/_ext/guide/building/no_execution.py"),
    ("sphinx-design", "sphinx_design.shared", "create_component", "docs/_ext/guide/runs/device_tabs.py"),
    ("sphinx-design", "sphinx_design.shared", "is_component", "docs/_ext/guide/runs/device_tabs.py"),
    ("sphinx-design", "sphinx_design.tabs", "sd_tab_input", "docs/_ext/guide/runs/device_tabs.py"),
    ("sphinx-design", "sphinx_design.tabs", "sd_tab_label", "docs/_ext/guide/runs/device_tabs.py"),
    ("nbclient", "nbclient", "NotebookClient.process_message", "engine/kernel/client.py"),
    ("nbclient", "nbclient", "NotebookClient.async_wait_for_reply", "engine/kernel/client.py"),
    ("jupyter-client", "jupyter_client", "AsyncKernelManager._async_pre_start_kernel", "engine/kernel/manager.py"),
    ("jupyter-client", "jupyter_client.provisioning", "LocalProvisioner.launch_kernel", "engine/kernel/manager.py"),
    ("nbclient", "nbclient", "NotebookClient._async_poll_kernel_alive", "engine/kernel/client.py"),
    ("transformers", "transformers.trainer", "Trainer._get_train_sampler", f"{REHEARSING}/rehearsal_training.py"),
    ("transformers", "transformers.trainer", "DEFAULT_CALLBACKS", f"{REHEARSING}/rehearsal_training.py"),
    ("torch", "torch", "_C._dispatch_has_kernel_for_dispatch_key", f"{REHEARSING}/rehearsal_shapes.py"),
    ("modelscope-hub", "modelscope_hub._download", "DownloadManager._cache_hit", f"{REHEARSING}/rehearsal_files.py"),
]
INSIDE = re.compile(
    r"(?<!self)(?<!cls)\._(?!_|exit\b)[a-z]|\b(?:from|import) (?:sphinx_design\.|myst_nb\.core|[\w.]+\._[a-z])"
)
NO_CODE = re.compile(r'"[^"]*"|#.*')
ROOMS = ("docs/_ext", "engine", "standins", "sets", "benchmarks")


@pytest.mark.parametrize(("distribution", "module", "name", "ours"), NAMES, ids=lambda part: part)
def test_a_name_is_still_there(distribution: str, module: str, name: str, ours: str) -> None:
    broken = f"{distribution} {version(distribution)} has no {module}.{name}, which {ours} uses"
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
        assert found is not None, broken
    assert name.rpartition(".")[2] in (ROOT / ours).read_text(encoding="utf-8"), f"{ours} uses it no longer"


def reaches_inside(code: str) -> bool:
    return any(INSIDE.search(NO_CODE.sub("", line)) for line in code.splitlines())


def test_no_other_file_reaches_inside() -> None:
    """What begins with one underscore, and modules that their libraries do not document."""
    files = [file for room in ROOMS for file in ROOT.glob(f"{room}/**/*.py")]
    reaching = {str(file.relative_to(ROOT)) for file in files if reaches_inside(file.read_text(encoding="utf-8"))}
    assert "engine/kernel/manager.py" in reaching, "it sees them at all"
    assert reaching <= {ours for *_, ours in NAMES}, (
        "move it to the file of that library, and its name to the list above"
    )


def test_sphinx_builds_no_search_where_it_is_told_so() -> None:
    """What it would write is no longer asked by anybody, and its page would take the place of ours."""
    search = getattr(StandaloneHTMLBuilder, "search", None)
    assert search is True, f"Sphinx {sphinx.__version__} has no StandaloneHTMLBuilder.search: see {SEARCH}"


def test_nbclient_numbers_cells_as_we_tell_it() -> None:
    from nbclient import NotebookClient

    taken = inspect.signature(NotebookClient.async_execute_cell).parameters
    assert list(taken)[:5] == ["self", "cell", "cell_index", "execution_count", "store_history"], (
        f"nbclient {version('nbclient')} executes a cell by other arguments: see engine/kernel/execution.py"
    )

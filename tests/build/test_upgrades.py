"""What we use of others' insides beyond what they promise: which upgrade broke it, which file of ours to look at."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import sphinx
from small_site import ROOT

SEARCH = "docs/_static/search_ranking.js"
SPHINX_SEARCH = Path(sphinx.__file__).with_name("themes") / "basic/static/searchtools.js"

NAMES = [  # distribution, module, name in it, file of ours
    ("myst-nb", "myst_nb.core.execute.cache", "NotebookClientCache", "docs/_ext/guide/building/no_execution.py"),
    ("myst-nb", "myst_nb.core.execute.direct", "NotebookClientDirect", "docs/_ext/guide/building/no_execution.py"),
    ("myst-nb", "myst_nb.core.execute.inline", "NotebookClientInline", "docs/_ext/guide/building/no_execution.py"),
    ("sphinx-design", "sphinx_design.shared", "create_component", "docs/_ext/guide/runs/device_tabs.py"),
    ("sphinx-design", "sphinx_design.shared", "is_component", "docs/_ext/guide/runs/device_tabs.py"),
    ("sphinx-design", "sphinx_design.tabs", "sd_tab_input", "docs/_ext/guide/runs/device_tabs.py"),
    ("nbclient", "nbclient", "NotebookClient.process_message", "engine/kernel/client.py"),
    ("nbclient", "nbclient", "NotebookClient.async_wait_for_reply", "engine/kernel/client.py"),
    ("jupyter-client", "jupyter_client", "AsyncKernelManager._async_pre_start_kernel", "engine/kernel/manager.py"),
    ("jupyter-client", "jupyter_client.provisioning", "LocalProvisioner.launch_kernel", "engine/kernel/manager.py"),
]


@pytest.mark.parametrize(("distribution", "module", "name", "ours"), NAMES, ids=lambda part: part)
def test_a_name_is_still_there(distribution: str, module: str, name: str, ours: str) -> None:
    broken = f"{distribution} {version(distribution)} has no {module}.{name}, which {ours} uses"
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
        assert found is not None, broken
    assert name.rpartition(".")[2] in (ROOT / ours).read_text(encoding="utf-8"), f"{ours} uses it no longer"


@pytest.mark.parametrize("name", ["performTermsSearch", "htmlToText", "_parseQuery", "_index"])
def test_sphinx_search_still_calls_what_we_replace(name: str) -> None:
    scripts = SPHINX_SEARCH.read_text(encoding="utf-8")
    assert f"Search.{name}" in (ROOT / SEARCH).read_text(encoding="utf-8"), f"{SEARCH} uses it no longer"
    assert re.search(rf"\bSearch\.{name}\b", scripts), f"Sphinx {sphinx.__version__} has no Search.{name}: see {SEARCH}"


def test_sphinx_scores_results_as_we_read_them() -> None:
    """The score is computed from the third, fifth and last of its parts."""
    scripts = SPHINX_SEARCH.read_text(encoding="utf-8")
    form = "const [docname, title, anchor, descr, score, filename, kind] = result"
    assert form in scripts, f"Sphinx {sphinx.__version__} has results of another form: see {SEARCH}"


def test_nbclient_numbers_cells_as_we_tell_it() -> None:
    from nbclient import NotebookClient

    taken = inspect.signature(NotebookClient.async_execute_cell).parameters
    assert list(taken)[:5] == ["self", "cell", "cell_index", "execution_count", "store_history"], (
        f"nbclient {version('nbclient')} executes a cell by other arguments: see engine/kernel/execution.py"
    )

"""What a page says of the real 8B comes from a rehearsal of exactly the lines it shows, or the build is red."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import pytest
from small_site import Project

from engine.place.surroundings import Surroundings

REHEARSES = Surroundings.here().rehearsal is not None

INDEX = "Site\n====\n\n.. toctree::\n   :glob:\n\n   *\n\n.. verification::\n"
PAGE = "Page\n====\n\n.. at-8b:: x.py\n\n.. cells:: x.py model train\n"
MODEL = 'model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"\n'
TRAIN = 'import torch\nprint(torch.ones(1, device=torch.accelerator.current_accelerator() or "cpu").item(), model_id)\n'
EXAMPLE = f'"""X"""\n\n# %% model\n{MODEL}dtype = "float32"\n\n# %% train\n{TRAIN}'
CHANGE = "\n[[change]]\nold = 'dtype = \"float32\"'\nnew = 'dtype = \"bfloat16\"'\n"


def write(project: Project, rehearsal: str, example: str = EXAMPLE) -> None:
    project.write(index=INDEX, page=PAGE, x_py=example)
    (project.folder / "rehearsals").mkdir(exist_ok=True)
    (project.folder / "rehearsals/x.py.toml").write_text(rehearsal, encoding="utf-8")


@pytest.mark.parametrize(
    ("rehearsal", "example", "said"),
    [
        ("fit = true", EXAMPLE, "fit is not known; there are cards, change, fits, instead, one_process"),
        ("fits =", EXAMPLE, "x.py.toml: Invalid value"),
        ("cards = [1]", EXAMPLE, "say what the page announces: fits = true, fits = false, or the numbers of cards"),
        ("fits = true\ncards = [0]", EXAMPLE, "cards are ascending numbers from 1 to 8, as in [1, 2, 4, 8], not [0]"),
        ("fits = [4]\ncards = [1, 2]", EXAMPLE, "it is said to fit on 4 cards, which are not among those rehearsed"),
        ("fits = false\ninstead = 'y.py'", EXAMPLE, "instead = 'y.py' must be an example"),
        ("fits = true\ninstead = 'x.py'", EXAMPLE, "this one must not fit on one card itself"),
        ("fits = true\none_process = 1", EXAMPLE, "one_process is true, for one that has all of the cards, or false"),
        (f"fits = true\n{CHANGE}", EXAMPLE.replace("float32", "float64"), "0 times instead of once: 'dtype = \"float"),
        (f"fits = true\n{CHANGE}", EXAMPLE + 'dtype = "float32"\n', "2 times instead of once: 'dtype = \"float32\"'"),
        ("fits = true\n[[change]]\nold = 'dtype'", EXAMPLE, "a [[change]] has an old text and a new text"),
        ("fits = true", EXAMPLE.replace(MODEL, ""), 'the example needs one line model_id = "..."'),
        (f"fits = true\n{CHANGE}".replace("'dtype = \"bf", "'= \"bf"), EXAMPLE, "examples/x.py:5: invalid syntax"),
    ],
)
def test_a_fault_of_a_rehearsal_is_one_sentence(project: Project, rehearsal: str, example: str, said: str) -> None:
    write(project, rehearsal, example)
    built = project.build()
    assert built.code != 0 and "rehearsals/x.py.toml: " in built.errors and said in built.errors, built.errors
    assert "Traceback" not in built.errors


def test_a_rehearsal_belongs_to_an_example_and_to_a_page(project: Project) -> None:
    write(project, "fits = true")
    project.write(page=PAGE.replace("at-8b:: x.py", "at-8b:: y.py"))
    built = project.build()
    assert "docs/page.rst:4: ERROR: y.py is not rehearsed; write rehearsals/y.py.toml" in built.errors
    assert "rehearsals/x.py.toml:1: ERROR: no page shows this rehearsal" in built.errors
    (project.folder / "rehearsals/z.py.toml").write_text("fits = true", encoding="utf-8")
    assert "there is no example z.py" in project.build().errors


def test_the_lines_to_change_are_those_that_were_rehearsed(project: Project) -> None:
    write(project, "fits = true")
    built = project.build()
    assert built.code == 0, built.errors
    page = unescape(built.page("page"))
    assert "只改一行" in page and "meta-llama/Meta-Llama-3-8B-Instruct" in page
    write(project, f"fits = true\n{CHANGE}")
    page = unescape(project.build().page("page"))
    for line in ('- dtype = "float32"', '+ dtype = "bfloat16"', "# %% model"):
        assert line in page, line
    write(project, f"fits = true\n{CHANGE}shown = false\n")  # the rehearsal's alone, not the reader's
    page = unescape(project.build().page("page"))
    assert "只改一行" in page and '+ dtype = "bfloat16"' not in page


BIG = """\"\"\"X\"\"\"

# %% model
import torch
from transformers import LlamaConfig, LlamaForCausalLM, AutoConfig

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
model = LlamaForCausalLM._from_config(AutoConfig.from_pretrained(model_id), dtype=torch.bfloat16).to("npu")

# %% train
rows = 1
batch = torch.ones(rows, 8, dtype=torch.long, device="npu")
model(input_ids=batch, labels=batch, use_cache=False).loss.backward()
print("the loss is nobody's business")
"""
PLANTED = "\n[[change]]\nold = 'rows = 1'\nnew = '''# too many\nrows = 8192'''\nshown = false\n"
LINE = BIG.splitlines().index("model(input_ids=batch, labels=batch, use_cache=False).loss.backward()") + 1


@pytest.mark.skipif(not REHEARSES, reason="there is no virtual NPU to rehearse on")
def test_a_batch_too_large_for_the_card_at_8b_is_an_error_of_the_page(project: Project) -> None:
    write(project, "fits = true", BIG)
    good = project.build()
    assert good.code == 0 and "ERROR" not in good.errors, good.errors
    page = unescape(good.page("page"))
    assert "放得下" in page and "8B 1 张卡 " in page and "60.97" in page
    table = json.loads((good.site / "verification.json").read_text(encoding="utf-8"))["rehearsals"]["x.py"]["1"]
    assert table["found"]["peak_bytes"] > 29 * 2**30, "weights and gradients of 8 billion parameters in bfloat16"

    write(project, f"fits = true{PLANTED}", BIG)
    for _ in range(2):
        bad = project.build()
        said = f"docs/page.rst:4: ERROR: examples/x.py:{LINE}: with the 8B on 1 card it is announced to fit, but cell "
        assert bad.code != 0 and said in bad.errors and "NPU out of memory" in bad.errors, bad.errors

    write(project, f"fits = false\ninstead = 'y.py'{PLANTED}", BIG)
    project.write(y_py='"""Y"""\n\n# %% say\nprint("fits")\n', other="Other\n=====\n\n.. cells:: y.py say\n")
    announced = project.build()
    assert announced.code == 0 and "ERROR" not in announced.errors, announced.errors
    page = unescape(announced.page("page"))
    box = page[page.index('class="at-8b') :].partition("</details>")[0]
    words = re.sub(r"<[^>]+>", "", box)
    assert "放不下" in words and "NPU out of memory. Tried to allocate" in words, words
    assert "examples/y.html" in box, box

    write(project, "fits = false", BIG)
    said = "with the 8B on 1 card it is announced not to fit, but it does"
    assert f"docs/page.rst:4: ERROR: examples/x.py: {said}" in project.build().errors


@pytest.mark.skipif(not REHEARSES, reason="there is no virtual NPU to rehearse on")
def test_builders_that_execute_nothing_rehearse_nothing(project: Project) -> None:
    write(project, "fits = true", BIG)
    assert replace(project, builder="gettext").build().code == 0
    assert not list((project.folder / "runs").glob("*"))

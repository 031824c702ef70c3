"""Where the model comes from: what a page says to write for another hub works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engine.values.rehearsal import MODEL_LINE
from guide.runs.variants import FOLDER_LINE

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_folder_downloaded_from_modelscope_takes_the_place_of_a_name(tmp_path: Path) -> None:
    text = (EXAMPLES / "quick_start.py").read_text(encoding="utf-8")
    (tmp_path / "quick_start.py").write_text(MODEL_LINE.sub(FOLDER_LINE, text), encoding="utf-8")
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "nothing")}
    for command in (["bash", EXAMPLES / "model_modelscope_cli.sh"], [sys.executable, "quick_start.py"]):
        done = subprocess.run(command, cwd=tmp_path, env=offline, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    assert "parameters on" in done.stdout

"""What the loopback hub costs: milliseconds for a question, and its rate against a plain copy of the same file."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.utils.tqdm import disable_progress_bars

MODEL, FILE = "meta-llama/Meta-Llama-3-8B-Instruct", "model.safetensors"
QUESTIONS = 20


def measure(rounds: int) -> dict[str, list[float]]:
    disable_progress_bars()
    api = HfApi()
    found: dict[str, list[float]] = {"hub/question": [], "hub/download": [], "hub/copy": []}
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(QUESTIONS):
            api.model_info(MODEL)
        found["hub/question"].append(round(1000 * (time.perf_counter() - begin) / QUESTIONS, 2))
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            path = Path(hf_hub_download(MODEL, FILE, local_dir=folder))
            found["hub/download"].append(_rate(path, begin))
            begin = time.perf_counter()
            copy = Path(shutil.copy(path, Path(folder, "copy")))
            found["hub/copy"].append(_rate(copy, begin))
    return found


def _rate(path: Path, begin: float) -> float:
    """MiB per second."""
    return round(path.stat().st_size / (1 << 20) / (time.perf_counter() - begin), 1)


if __name__ == "__main__":
    print(json.dumps(measure(rounds=int(sys.argv[1]))))

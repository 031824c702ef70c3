"""``python -m standins.assets [--thorough] [HOME]`` prepares the assets, and nothing else."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from standins.assets.errors import PreparationError
from standins.assets.store import prepare, say
from standins.provision import home


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m standins.assets", description=__doc__)
    parser.add_argument("home", nargs="?", type=Path, default=home(), help="cache folder, STANDINS_HOME by default")
    parser.add_argument("--thorough", action="store_true", help="hash every file, whatever its size and time say")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="standins-") as scratch:
        os.environ |= {
            "HF_HOME": scratch,  # the user's own cache is none of our business
            "HF_HUB_OFFLINE": "1",
            "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait make a busy machine many times slower
            "TOKENIZERS_PARALLELISM": "true",
            "TQDM_DISABLE": "1",
            "TRANSFORMERS_VERBOSITY": "error",
        }
        compute_on_the_cpu()
        try:
            prepare(arguments.home, thorough=arguments.thorough)
        except PreparationError as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            say("stopped; what was finished stays, the rest is made the next time")
            return 130
    return 0


def compute_on_the_cpu() -> None:
    """Assets are made alike on every machine, and before an Ascend device stands in: keep torch_npu out of it."""
    os.environ["TORCH_DEVICE_BACKEND_AUTOLOAD"] = "0"
    sys.modules["torch_npu"] = None  # type: ignore[assignment]  # so that it counts as not installed


if __name__ == "__main__":
    sys.exit(main())

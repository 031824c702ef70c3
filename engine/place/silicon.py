"""What of an Ascend host can change an output: told by files, without asking the device."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

DEVICE_FILES = Path("/dev")
HOMES = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME")  # CANN's set_env.sh sets them
MARK = "lib64/VIRTUAL_NPU"  # a file that libraries in the place of CANN's have beside them
OF_CANN = ("version.cfg", "*/version.info", "*/ascend_*_install.info")
OF_DRIVER = ("usr/local/Ascend/driver/version.info", "usr/local/Ascend/firmware/version.info")
HUAWEI = "0x19e5"  # the vendor of the chips on the PCI bus


def count(folder: Path = DEVICE_FILES) -> int:
    """How many Ascend devices the driver shows here."""
    return len(list(folder.glob("davinci[0-9]*")))


def facts(environment: Mapping[str, str], root: Path = Path("/")) -> dict[str, str]:
    """Digests of the version files of CANN and of the driver, and how many chips of which kind there are."""
    homes = [Path(environment[name]) for name in HOMES if environment.get(name)]
    files = [file for home in homes[:1] for pattern in OF_CANN for file in sorted(home.glob(pattern))]
    files += [root / name for name in OF_DRIVER if (root / name).is_file()]
    versions = {str(file): hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files if file.is_file()}
    chips = [
        (device / "device").read_text(encoding="ascii").strip()
        for device in sorted(root.glob("sys/bus/pci/devices/*"))
        if (device / "vendor").read_text(encoding="ascii").strip() == HUAWEI
    ]
    return versions | {f"chip {chip}": str(chips.count(chip)) for chip in sorted(set(chips))}


def posing(environment: Mapping[str, str]) -> Path | None:
    """The folder that CANN's variables lead to, where it bears the mark of libraries with no chip behind them."""
    homes = (Path(environment[name]) for name in HOMES if environment.get(name))
    return next((home for home in homes if (home / MARK).exists()), None)

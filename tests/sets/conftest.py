"""The extensions are modules, as Sphinx sees them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs/_ext"))

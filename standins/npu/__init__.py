"""A virtual Ascend device: the unmodified torch_npu over libraries that take CANN's place and compute on the CPU.

``src/`` holds the C++ of those libraries; ``build`` compiles it once for each torch and torch_npu, ``selection``
decides between silicon, the virtual device and plain CPU, ``provider`` makes the environment that leads there.
"""

from standins.npu.build import MARK, MARK_SYMBOL
from standins.npu.provider import provide

__all__ = ["MARK", "MARK_SYMBOL", "provide"]

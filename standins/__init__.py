"""What takes the place of what this machine lacks, always outside the example.

Three rooms supply it: ``assets`` (small real weights, tokenizer, sentences), ``hub`` (model hubs on
loopback) and ``npu`` (an Ascend device).  Each provides a :class:`Provision`; ``python -m standins COMMAND``
joins them and runs the command in the environment that results.
"""

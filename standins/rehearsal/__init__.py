"""Rehearsal: the reader's own file at the true size of its model, on cards that count and do not compute.

``models`` knows shapes, ``start-up/`` shortens from outside what would take too long, ``report`` says what was found,
and ``command`` is ``python -m standins --rehearse``.  Shapes, torch, transformers and torch_npu's caching allocator are
the real ones; nothing larger than a megabyte is computed, written or kept.
"""

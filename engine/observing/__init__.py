"""Watches where the models and batches of an example are: in its kernel, and in every process it starts."""

from pathlib import Path

CHILDREN = Path(__file__).with_name("children")  # first on PYTHONPATH of what examples start, and on no path of theirs

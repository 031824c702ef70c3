"""Executes one example in a kernel of its own: forked, watched, and ended with all that it started."""

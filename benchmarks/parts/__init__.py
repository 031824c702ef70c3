"""What single parts of the guide cost.  Each module is a program of its own: ``python -m benchmarks.parts.cells``.

It prints one JSON object, values by the name of their row, and runs where the stand-ins are.
"""

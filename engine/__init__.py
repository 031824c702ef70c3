"""Executes the examples and tells the truth about it: forked kernels, an honest cache, a record of every run.

It knows neither Sphinx nor the stand-ins.  Where an example runs is decided by the environment variables it
finds; what stands in there is read from the report that ``STANDINS_REPORT`` names.
"""

"""Executes the examples and tells the truth about it: forked kernels, an honest cache, a record of every run.

Its words: an *example* is *executed* in a kernel (:mod:`engine.kernel`); what comes of that is its *run*, and what is
told of the run its *record* (:mod:`engine.values`).  A *session* takes the runs that still hold from the *cache*, has
the others made, and *judges* them.  An example is *rehearsed* with the sizes of the 8B.

It knows neither Sphinx nor the stand-ins.  Where an example runs is decided by the environment variables it
finds; what stands in there is read from the report that ``STANDINS_REPORT`` names.
"""

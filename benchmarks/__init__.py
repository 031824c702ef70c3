"""Measures this guide beside sphinx-gallery, stock MyST-NB and bare scripts: ``make bench``."""

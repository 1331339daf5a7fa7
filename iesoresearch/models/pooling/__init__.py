"""Pooling what several sites found.

`effects` takes estimates with standard errors, `multivariate` whole regressions, `rare` counts by
their likelihood, and `counts` says what is known of a count that was rounded or suppressed.
"""

"""The check of all analyses that draw from posteriors: whether the chains agree."""

from collections.abc import Mapping

from iesoresearch.models.growth.diagnostics import MAX_R_HAT, MIN_ESS, Diagnostics
from iesoresearch.results import Check


def chains(diagnostics: Mapping[str, Diagnostics]) -> Check:
    """Passed if no model has anything to complain of; else everything it has, by model."""
    bad = [
        f"{name}: {sentence}"
        for name, found in diagnostics.items()
        for sentence in found.failures()
    ]
    good = (
        f"For every parameter of {len(diagnostics)} models R-hat is below {MAX_R_HAT} and the "
        f"effective sample size of bulk and tails above {MIN_ESS}; no transition diverged."
    )
    name = "the chains agree and are long enough"
    return Check(name, "failed", " ".join(bad)) if bad else Check(name, "passed", good)

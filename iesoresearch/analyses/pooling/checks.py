"""Questions that `pooling` asks of itself."""

import numpy as np

from iesoresearch.analyses.pooling.computed import MAIN, OUTCOMES, Computed
from iesoresearch.analyses.pooling.words import FEW, farthest, lacking
from iesoresearch.results import Check

NEAR = 0.1  # standard errors between pooled coefficients and those of all records
DRAWN = "The truth of these sites is not known."


def checks(found: Computed) -> list[Check]:
    """All checks: what was planted, then what was released."""
    return [
        _average(found),
        _spread(found),
        _joint(found),
        _coefficients(found),
        _whole(found),
        _versions(found),
        _enough(found),
        _matched(found),
        _differ(found),
    ]


def _average(found: Computed) -> Check:
    name = "the planted average is inside its interval"
    if found.drawn is None:
        return Check(name, "not applicable", DRAWN)
    pooled, truth = found.rates[MAIN], found.drawn.mean
    inside = pooled.low <= truth <= pooled.high
    planted = 100 / (1 + np.exp(-truth))
    sentence = f"Planted was {planted:.1f} %; found {{rate}} ({{rate_low}} to {{rate_high}})."
    return Check(name, "passed" if inside else "failed", sentence)


def _spread(found: Computed) -> Check:
    name = "the planted spread between sites is inside its interval"
    if found.drawn is None:
        return Check(name, "not applicable", DRAWN)
    pooled, truth = found.rates[MAIN], found.params.spread
    inside = pooled.tau_low <= truth <= pooled.tau_high
    sentence = f"Planted was {truth:g} log odds; found {{tau}} ({{tau_low}} to {{tau_high}})."
    return Check(name, "passed" if inside else "failed", sentence)


def outside(found: Computed) -> list[str]:
    """Counts of all records together that lie outside of what the released ones leave open."""
    wrong = []
    for outcome, denominator in OUTCOMES.items():
        told = found.rows(outcome)
        rows = [row.proportion for row in told]
        for column, counts in ((outcome, [r.events for r in rows]),
                               (denominator, [r.n for r in rows])):  # fmt: skip
            exact = sum(found.drawn.exact(column, [row.site for row in told]))
            if not sum(c.low for c in counts) <= exact <= sum(c.high for c in counts):
                wrong.append(column)
    return wrong


def _joint(found: Computed) -> Check:
    name = "the joint counts lie within what the released ones leave open"
    if found.drawn is None:
        return Check(name, "not applicable", "The records of these sites were never together.")
    wrong = outside(found)
    said = (
        "Together {events_low} to {events_high} of {n_low} to {n_high} patients; the joint counts "
        "of all records of every outcome lie inside. "
    )
    if wrong:
        return Check(name, "failed", f"Outside: {', '.join(wrong)}.")
    return Check(name, "passed", said)


def _coefficients(found: Computed) -> Check:
    name = "pooled coefficients are those of all records together"
    apart = farthest(found)
    if apart is None:
        why = DRAWN if found.drawn is None else "Fewer than two sites released a regression."
        return Check(name, "not applicable", why)
    sentence = (
        f"The farthest is {{apart}} standard errors from a fit of all records with a constant of "
        f"each site (at most {NEAR:g})."
    )
    return Check(name, "passed" if apart <= NEAR else "failed", sentence)


def _whole(found: Computed) -> Check:
    name = "every site has every part"
    said = lacking(found)
    if not said:
        return Check(name, "passed", "All {k} sites have outcomes, regression, model and states.")
    return Check(name, "inconclusive", f"Without {'; without '.join(said)}. The others are pooled.")


def _versions(found: Computed) -> Check:
    name = "all sites used one version of the package"
    versions = sorted({one.versions.get("iesoresearch", "not said") for one, _ in found.sites})
    if len(versions) == 1:
        return Check(name, "passed", f"Version: {versions[0]}.")
    return Check(
        name, "inconclusive",
        f"Versions {', '.join(versions)}; rules of outcomes and parameters are the same.",
    )  # fmt: skip


def _enough(found: Computed) -> Check:
    name = "there are enough sites to tell how much they differ"
    sentence = f"{{k}} sites; with fewer than {FEW} the spread between them is hardly known."
    return Check(name, "passed" if len(found.sites) >= FEW else "inconclusive", sentence)


def _matched(found: Computed) -> Check:
    name = "every state is found at every site"
    states = found.states
    if states is None:
        return Check(name, "not applicable", "Fewer than two sites released states.")
    lacking_at = sum(bool(match.lacking) for match in states.matched)
    other = sum(int((match.place < 0).sum()) for match in states.matched)
    if not lacking_at and not other:
        return Check(name, "passed", f"{states.n} states at each of {{k_states}} sites.")
    return Check(
        name, "inconclusive",
        f"{states.n} states: {lacking_at} of {{k_states}} sites lack one or more, and {other} "
        "states of sites are none of them. Shares and moves are of the other sites.",
    )  # fmt: skip


def _differ(found: Computed) -> Check:
    """Never failed: that no difference is found is no proof that there is none."""
    name = "claim: the sites differ in reliable recovery"
    sentence = "The standard deviation between sites is {tau} log odds ({tau_low} to {tau_high})"
    if found.rates[MAIN].tau_low > 0:
        return Check(name, "passed", f"{sentence}: more than by chance.")
    return Check(
        name, "inconclusive", f"{sentence}: that they differ is not shown, nor that they do not."
    )

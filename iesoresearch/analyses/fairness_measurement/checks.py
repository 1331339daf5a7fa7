"""Questions that `fairness_measurement` asks of itself."""

import numpy as np

from iesoresearch.analyses.fairness_measurement.fitted import Compared, Fitted
from iesoresearch.analyses.fairness_measurement.words import BY, SLUGS
from iesoresearch.models.item_functioning import LARGE, MODERATE
from iesoresearch.results import TO, Check, Status

#: Points of the total, near the cut-off, within which groups count as measured alike; the
#: project's own. A change of one patient is reliable from 6.
CLOSE = 1.0


def checks(fitted: Fitted) -> list[Check]:
    """All checks, those of the method first."""
    return [
        _settled(fitted),
        _anchors(fitted),
        _converged(fitted),
        *(_alike(c, fitted) for c in fitted.compared),
        *(_classes(c) for c in fitted.compared),
    ]


def _named(found: list[Compared]) -> str:
    return ", ".join(BY[c.grouping.name] for c in found)


def _settled(fitted: Fitted) -> Check:
    name = "severity and the comparison of items agree on what differs"
    bad = [c for c in fitted.compared if not c.functioning.settled]
    if bad:
        return Check(name, "failed", f"They do not settle by {_named(bad)}.")
    return Check(name, "passed", "In every grouping the last two rounds agree.")


def _anchors(fitted: Fitted) -> Check:
    name = "enough items work alike to compare the others by"
    bad = [c for c in fitted.compared if c.functioning.free != c.functioning.differing]
    if bad:
        return Check(
            name, "inconclusive",
            f"By {_named(bad)} so many items differ that some of them had to serve as anchors: "
            "which ones differ is then not sure.",
        )  # fmt: skip
    return Check(name, "passed", "All items that differ have answers of their own in each group.")


def _converged(fitted: Fitted) -> Check:
    models = [c.functioning.trait.converged for c in fitted.compared]
    for c in fitted.compared:
        for found in c.invariance.values():
            models += [found.common.converged_, *(model.converged_ for model in found.separate)]
    n = len(models) - sum(models)
    if n:
        return Check("models converged", "failed", f"{n} of {len(models)} fits stopped early.")
    return Check("models converged", "passed", f"All {len(models)} fits did.")


def _alike(c: Compared, fitted: Fitted) -> Check:
    slug = SLUGS[c.grouping.name]
    tests = [item for item in c.functioning.items if item is not None]
    low, high = c.cautious_ends["at_cutoff"]
    status: Status = "passed"
    if not tests or max(-low.min(), high.max()) > CLOSE:
        status = "inconclusive"
    sized = any(c.functioning.items[i].change >= MODERATE for i in c.functioning.differing)
    if sized or np.maximum(low, -high).max() > CLOSE:
        status = "failed"
    return Check(
        f"claim: PHQ-9 totals mean the same by {BY[c.grouping.name]}", status,
        f"{{{slug}_differing}} of {{{slug}_tested}} items differ; the largest change in R² is "
        f"{{{slug}_largest_change}} (moderate from {MODERATE:g}, large from {LARGE:g}). If all "
        "items may differ but the three that do least, the intervals of totals near the cut-off "
        f"reach from {{{slug}_least}} to {{{slug}_most}} points; the claim wants them within "
        f"{CLOSE:g} point of zero.",
    )  # fmt: skip


def _classes(c: Compared) -> Check:
    slug = SLUGS[c.grouping.name]
    answers: dict[str, Status] = {"shared": "passed", "separate": "failed"}
    status = answers.get(c.gain.better, "inconclusive")
    sentence = (
        "Classes of each group's own change the probability of an unseen person's answers by "
        f"{{{slug}_gain}} % ({{{slug}_gain_low}}{TO}{{{slug}_gain_high}})"
    )
    if c.draws is not None:
        sentence += f"; BIC of common less separate ones {{{slug}_bic}}"
    name = f"claim: all groups share their classes of answers by {BY[c.grouping.name]}"
    return Check(name, status, f"{sentence}.")

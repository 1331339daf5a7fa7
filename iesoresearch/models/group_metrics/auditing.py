"""The one call: outcomes, decisions and groups in, rates by group with intervals out."""

from collections.abc import Mapping, Sequence

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.group_metrics import coding, counting, resampling
from iesoresearch.models.group_metrics.metrics import METRICS, NET_BENEFIT, RATES
from iesoresearch.models.group_metrics.results import OVERALL, GroupAudit

_FEWEST = 100  # resamples


def audit(
    y,
    decision,
    groups,
    *,
    metrics: Sequence[str] | None = None,
    threshold: float | None = None,
    reference: Mapping[str, str] | None = None,
    clusters=None,
    strata=None,
    n_boot: int = 1000,
    random_state: int = 0,
    n_jobs: int = 1,
) -> GroupAudit:
    """How decisions fare by group: count-based metrics with intervals and comparisons.

    The bootstrap resamples counts, not rows: the numbers of rows of each kind (strata, groups,
    outcome, decision) in a resample are multinomial. Clusters that hold the same counts are of one
    kind too, so that resampling whole clusters costs no more. All groupings are resampled
    together.

    Parameters
    ----------
    y, decision
        (rows,) yes and no, or 1 and 0: the outcome, and what was decided or predicted.
    groups
        Grouping → one group per row; or grouping → {group → whether a row belongs to it} where
        groups overlap (several disabilities, say); or a data frame of such columns. What is not
        known wants a name of its own.
    metrics
        Names of `METRICS`; None: all of them, net benefit with a threshold only.
    threshold
        Probability, above 0 and below 1, at which `decision` was made: net benefit needs it.
    reference
        Grouping → the level that others are compared with; where not named, the largest.
    clusters
        (rows,) patient or service, where rows of one go together.
    strata
        (rows,) to resample within, such as the group itself; made of whole clusters, and of many,
        for what varies within a stratum of few is underestimated.
    n_boot
        Resamples.
    random_state
        Seed.
    n_jobs
        Threads; the result is the same with any number.

    Raises
    ------
    DataError
        No rows; missing or other values than yes and no; groups that are missing, constant, too
        many or of another length; a cluster in two strata.
    ParameterError
        No grouping; an unknown metric, grouping or reference; no threshold for net benefit; too few
        resamples.
    """
    y, decision = coding.binary(y, "y"), coding.binary(decision, "decision")
    if not len(y) == len(decision) > 0:
        raise DataError(
            f"Audit by group: there are {len(y):,} outcomes and {len(decision):,} decisions. "
            "Hand over one of each per row."
        )
    chosen = _chosen(metrics, threshold)
    if n_boot < _FEWEST:
        raise ParameterError(
            f"Audit by group: {n_boot} resamples are too few. Take {_FEWEST} at least, and 1,000 "
            "for a paper."
        )
    made = coding.groupings(groups, len(y))
    clusters, strata = (
        None if values is None else coding.labels(values, name, len(y))
        for values, name in ((clusters, "clusters"), (strata, "strata"))
    )
    units = counting.units(y, decision, made, clusters, strata)
    counts = (units.many @ units.counts).reshape(-1, 4)
    replicates = resampling.resample(units, n_boot, random_state, n_jobs)
    views = [OVERALL, *((g.name, level) for g in made for level in g.levels)]
    independent = clusters is None and strata is None
    return GroupAudit(
        views, counts, replicates, chosen, threshold, _reference(reference, made, views, counts),
        None if independent else {name: _units(units, name) for name in chosen},
        frozenset(g.name for g in made if g.overlaps),
    )  # fmt: skip


def _units(units: counting.Units, name: str) -> np.ndarray:
    return units.in_views(RATES["prevalence" if name == NET_BENEFIT else name].denominator)


def _chosen(metrics, threshold) -> tuple[str, ...]:
    if threshold is not None and not 0 < threshold < 1:
        raise ParameterError(
            f"Audit by group: a threshold of {threshold} is not between 0 and 1. It is the "
            "probability from which on the decision is yes."
        )
    if metrics is None:
        return METRICS if threshold is not None else tuple(RATES)
    unknown = [name for name in metrics if name not in METRICS]
    if unknown or not metrics:
        raise ParameterError(
            f"Audit by group: no metric is called {', '.join(map(str, unknown)) or 'nothing'}. "
            f"There are {', '.join(METRICS)}."
        )
    if NET_BENEFIT in metrics and threshold is None:
        raise ParameterError(
            "Audit by group: net benefit weighs false positives by the odds of the threshold. "
            "Name the threshold at which the decisions were made."
        )
    return tuple(dict.fromkeys(metrics))


def _reference(asked, made, views, counts) -> dict[str, str]:
    n = dict(zip(views, counts.sum(axis=1), strict=True))
    found = {g.name: max(g.levels, key=lambda level, g=g: n[g.name, level]) for g in made}
    for name, level in (asked or {}).items():
        if (name, str(level)) not in n or name not in found:
            raise ParameterError(
                f"Audit by group: there is no group '{level}' of grouping '{name}' to compare "
                f"with. The groupings are {', '.join(found)}; take a group of one of them."
            )
        found[name] = str(level)
    return found

"""Rates of groups as they would be if every group had everybody's case mix."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import expit, logit

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import proportions
from iesoresearch.models.case_mix import inputs
from iesoresearch.models.case_mix import logit as logits
from iesoresearch.models.case_mix.design import FEWEST, Design, design, encoded
from iesoresearch.models.case_mix.mixed import fit_design
from iesoresearch.models.inequality import Estimate, combination

_PERCENT = 100.0
_NODES = 25
TOO_FEW = f"not estimable: fewer than {FEWEST} patients with the event, or without"
ONE_CLUSTER = "no interval: all in one cluster"
EMPTY_STRATUM = "not estimable: nobody in one of the strata"
_NUMBERS = (
    *("rate", "rate_low", "rate_high", "points", "points_low", "points_high"),
    *("odds_ratio", "odds_ratio_low", "odds_ratio_high"),
)


@dataclass(frozen=True)
class Standardised:
    """Rates of groups over the case mix of everybody.

    Attributes
    ----------
    frame
        One row per level of the group, the reference first and then by size: level, n, events;
        rate, rate_low, rate_high (percent); points, points_low, points_high (percentage points,
        level minus reference); odds_ratio, odds_ratio_low, odds_ratio_high (of the model, so given
        what is adjusted for); reason, why something is empty.
    reference
        The level that the others are compared with.
    n_used, n_left_out
        People in the model, and people of levels that are too small for it.
    tau
        Standard deviation of the random intercepts in log odds; None without them.
    """

    frame: pl.DataFrame
    reference: str
    n_used: int
    n_left_out: int
    tau: float | None = None


def standardise(
    events,
    group,
    x: pl.DataFrame | None = None,
    *,
    n=None,
    cluster=None,
    mixed: bool = False,
    reference: str | None = None,
    level: float = 0.95,
) -> Standardised:
    """Rates of groups, standardised over everybody's case mix with a logistic model.

    The model predicts for everybody, once for each level of the group, as if they were of that
    level and else as they are; the averages are the standardised rates (g-computation; Robins 1986,
    Mathematical Modelling 7:1393–1512). Without `x` they are the rates as they were observed. They
    depend on the model only as far as case mix differs between the groups. The case mix is taken as
    given: that of these people.

    Intervals by the delta method: of rates on the logit scale, of gaps as they are, of odds ratios
    on the log scale. The covariance is that of Huber and White, of whole clusters where `cluster`
    is given, with a t distribution of one degree of freedom less than there are clusters with that
    level (or with the reference, if fewer), because the covariance of few clusters is too small.
    With `mixed`, clusters get a random intercept: patients are compared within a cluster, rates are
    averages over a population of such clusters, and intervals rest on the likelihood and the normal
    distribution, so that those of rates are too narrow with few clusters.

    A gap in points after adjustment can be compared with one before; an odds ratio cannot, because
    it grows when what predicts the outcome is added, even if that is alike in all groups
    (non-collapsibility; Greenland, Robins & Pearl 1999, doi:10.1214/ss/1009211805).

    Parameters
    ----------
    events : (rows,) array_like
        Patients with the event: booleans, 0 and 1, or counts together with `n`.
    group : (rows,) sequence
        Level of each; as text.
    x : polars.DataFrame, optional
        Case mix: numbers, booleans, or text, of which each level counts (rare ones together, see
        `design.encoded`). Numbers are taken as linear in the log odds.
    n : (rows,) array_like, optional
        Patients of each row; one each by default.
    cluster : (rows,) sequence, optional
        Labels, such as services or patients with several referrals.
    mixed
        Give each cluster a random intercept.
    reference
        By default the largest level.
    level
        Of the intervals.

    Raises
    ------
    ParameterError
        Impossible counts, lengths that differ, labels or columns that are none, an unknown
        reference, a level outside 0 and 1, or random intercepts without clusters.
    DataError
        Empty cells; fewer than two levels with enough patients, the reference among them; what
        `design.design` and `fit_mixed` refuse.
    """
    proportions.check_level(level)
    rows = _Rows.of(events, group, x, n, cluster, reference)
    if mixed and cluster is None:
        raise ParameterError("Random intercepts need clusters; there are none.")
    data = rows.design()
    columns = [data.names.index(name) for name in rows.columns]
    if mixed:
        fitted = fit_design(data)
        beta, covariance, tau = fitted.coefficients, fitted.joint, fitted.tau
    else:
        beta, tau = logits.fit(data), None
        covariance = logits.covariance(data, beta, cluster is not None)
    rates, gradients = _predicted(data, beta, tau, columns)
    odds = np.eye(len(covariance))[[0, *columns]]
    odds[0] = 0.0
    clusters = rows.clusters_of() if cluster is not None and not mixed else None
    quantiles = _quantiles(level, len(rates), clusters)
    log_odds = np.concatenate([[0.0], beta[columns]])
    estimates = _estimates(rates, gradients, log_odds, odds, covariance, quantiles)
    return rows.result(estimates, np.where(np.isnan(quantiles), ONE_CLUSTER, ""), tau)


def _predicted(data: Design, beta, tau, columns) -> tuple[np.ndarray, np.ndarray]:
    """Average rate at each level, the reference first, and gradients by beta and log tau."""
    width = len(beta) + (tau is not None)
    x = data.x.copy()
    x[:, columns] = 0.0
    base, share = x @ beta, data.n / data.n.sum()
    nodes, weights = np.polynomial.hermite.hermgauss(_NODES)
    shifts = np.sqrt(2) * nodes * tau if tau else np.zeros(1)
    weights = weights / np.sqrt(np.pi) if tau else np.ones(1)
    rates, gradients = np.zeros(len(columns) + 1), np.zeros((len(columns) + 1, width))
    for place, column in enumerate([None, *columns]):
        added = 0.0 if column is None else beta[column]
        slope = np.zeros(len(base))
        for shift, weight in zip(shifts, weights, strict=True):
            mean = expit(base + added + shift)
            rates[place] += weight * (share @ mean)
            local = weight * share * mean * (1 - mean)
            slope += local
            if tau:
                gradients[place, -1] += local.sum() * shift
        gradients[place, : len(beta)] = slope @ x
        if column is not None:
            gradients[place, column] = slope.sum()
    return rates, gradients


def _quantiles(level: float, levels: int, clusters: np.ndarray | None) -> np.ndarray:
    """Of the t distribution for each level; NaN where it lies in one cluster only."""
    if clusters is None:
        return np.full(levels, stats.norm.ppf((1 + level) / 2))
    freedom = np.minimum(clusters, clusters[0]) - 1.0
    return stats.t.ppf((1 + level) / 2, np.where(freedom > 0, freedom, np.nan))


def _estimates(rates, gradients, log_odds, odds, covariance, quantiles) -> dict[str, np.ndarray]:
    def errors(directions: np.ndarray) -> np.ndarray:
        variance = np.einsum("ij,jk,ik->i", directions, covariance, directions)
        return np.sqrt(np.maximum(variance, 0.0)) * quantiles

    on_logit, middle = errors(gradients) / (rates * (1 - rates)), logit(rates)
    points, off = rates - rates[0], errors(gradients - gradients[0])
    by = errors(odds)
    numbers = (
        *(
            rates * _PERCENT,
            expit(middle - on_logit) * _PERCENT,
            expit(middle + on_logit) * _PERCENT,
        ),
        *(points * _PERCENT, (points - off) * _PERCENT, (points + off) * _PERCENT),
        *(np.exp(log_odds), np.exp(log_odds - by), np.exp(log_odds + by)),
    )
    out = dict(zip(_NUMBERS, numbers, strict=True))
    for name in _NUMBERS[3:]:
        out[name][0] = np.nan  # the reference is compared with nobody
    return out


@dataclass(frozen=True)
class _Rows:
    """What came in, and what of it goes into the model."""

    frame: pl.DataFrame  # event, n, group and, where there are any, cluster
    x: pl.DataFrame
    sizes: pl.DataFrame  # of every level: group, n, events
    levels: list[str]  # in the model, the reference first

    @classmethod
    def of(cls, events, group, x, n, cluster, reference) -> "_Rows":
        events, n = inputs.counts(events, n)
        columns = {
            "event": events,
            "n": n,
            "group": inputs.labels(group, "group").cast(pl.String),
        }
        columns |= {} if cluster is None else {"cluster": inputs.labels(cluster, "cluster")}
        x = inputs.columns(x)
        lengths = {len(values) for values in columns.values()} | ({x.height} if x.width else set())
        if len(lengths) > 1:
            raise ParameterError("Events, groups, case mix and clusters differ in length.")
        frame = pl.DataFrame(columns, nan_to_null=True)
        inputs.refuse_empty(frame, x)
        sizes = frame.group_by("group").agg(
            pl.col("n").sum().cast(pl.Int64), pl.col("event").sum().cast(pl.Int64).alias("events")
        )
        sizes = sizes.sort(["n", "group"], descending=[True, False])
        levels = _levels(sizes, reference)
        inside = frame["group"].is_in(levels)
        return cls(frame.filter(inside), x.filter(inside) if x.width else x, sizes, levels)

    @property
    def columns(self) -> list[str]:
        """Of the design, one for each level but the reference."""
        return [f"group={level}" for level in self.levels[1:]]

    def design(self) -> Design:
        groups = [
            (self.frame["group"] == level).cast(pl.Float64).alias(name)
            for name, level in zip(self.columns, self.levels[1:], strict=True)
        ]
        counts = (self.frame["event"].to_numpy(), self.frame["n"].to_numpy())
        case_mix = encoded(self.x, *counts)
        cluster = self.frame["cluster"] if "cluster" in self.frame.columns else None
        return design(pl.DataFrame([*case_mix, *groups]), *counts, cluster)

    def clusters_of(self) -> np.ndarray:
        """Number of clusters with each level."""
        counted = self.frame.group_by("group", maintain_order=True).agg(
            pl.col("cluster").n_unique()
        )
        return np.array([counted.filter(group=level)["cluster"][0] for level in self.levels], float)

    def result(self, estimates: dict[str, np.ndarray], reasons: np.ndarray, tau) -> Standardised:
        found = pl.DataFrame({"group": self.levels, **estimates, "reason": reasons})
        frame = self.sizes.join(found, on="group", how="left", maintain_order="left")
        frame = frame.with_columns(
            pl.col("reason").fill_null(TOO_FEW), pl.col(_NUMBERS).fill_nan(None)
        )
        first = pl.col("group") != self.levels[0]
        used, everybody = self.frame["n"].sum(), self.sizes["n"].sum()
        return Standardised(
            frame=frame.sort(first, maintain_order=True).rename({"group": "level"}),
            reference=self.levels[0],
            n_used=int(used),
            n_left_out=int(everybody - used),
            tau=tau,
        )


def _levels(sizes: pl.DataFrame, reference: str | None) -> list[str]:
    """Levels that go into the model, the reference first."""
    if reference is not None and reference not in sizes["group"].to_list():
        raise ParameterError(f"There is no patient of the reference group '{reference}'.")
    enough = sizes.filter(
        (pl.col("events") >= FEWEST) & (pl.col("n") - pl.col("events") >= FEWEST)
    )["group"].to_list()
    first = enough[0] if reference is None and enough else reference
    if first not in enough or len(enough) < 2:
        raise DataError(
            f"Standardised rates need two groups, the reference among them, with at least {FEWEST} "
            "patients with the event and as many without. Join groups, or take more patients."
        )
    return [first, *(level for level in enough if level != first)]


def direct(
    events, group, stratum, *, n=None, reference: str | None = None, level: float = 0.95
) -> Standardised:
    """Rates of groups by direct standardisation of counts: everybody's mix of strata for each.

    No model: the weighted mean of a group's rates in the strata, the weights being the shares of
    everybody. Intervals: `inequality.combination`. A group that has nobody in one of the strata has
    no such rate. There are no odds ratios.

    Parameters
    ----------
    events, n, group
        As `standardise`; rows may be counts.
    stratum : (rows,) sequence
        Label of the case mix of each row.
    reference, level
        As `standardise`.

    Raises
    ------
    ParameterError, DataError
        As `standardise`.
    """
    strata = inputs.labels(stratum, "stratum").to_frame()
    rows = _Rows.of(events, group, strata, n, None, reference)
    cells = rows.frame.hstack(rows.x)
    strata = cells.group_by("stratum").agg(pl.col("n").sum().alias("all")).sort("stratum")
    weights = (strata["all"] / strata["all"].sum()).to_numpy()
    cells = cells.group_by("group", "stratum").agg(pl.col("event", "n").sum())
    counts = {}
    for name in rows.levels:
        own = strata.join(cells.filter(group=name), "stratum", how="left", maintain_order="left")
        counts[name] = own.select(pl.col("event", "n").fill_null(0)).to_numpy().T
    empty = np.array([(size == 0).any() for _, size in counts.values()])
    if empty[0]:
        raise DataError(
            "Direct standardisation: nobody of the reference group is in one of the strata. Take "
            "coarser strata, or another reference."
        )
    found = {name: np.full(len(empty), np.nan) for name in _NUMBERS}
    both = np.concatenate([weights, -weights])
    for place in np.flatnonzero(~empty):
        own = counts[rows.levels[place]]
        _write(found, "rate", place, combination(weights, *own, level))
        if place:
            pair = np.concatenate([own, counts[rows.levels[0]]], axis=1)
            _write(found, "points", place, combination(both, *pair, level))
    return rows.result(found, np.where(empty, EMPTY_STRATUM, ""), None)


def _write(found: dict[str, np.ndarray], name: str, place: int, estimate: Estimate) -> None:
    in_percent = vars(estimate.times(_PERCENT)).values()
    for column, value in zip((name, f"{name}_low", f"{name}_high"), in_percent, strict=True):
        found[column][place] = value

"""From draws of inputs to the arrays that the model runs on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort.units import Duration, rate_from_probability
from iesoresearch.models.waiting import bands as severity
from iesoresearch.models.waiting.ranges import check_draws
from iesoresearch.models.waiting.scenarios import DECLINING_ENDS, WEEK, check, hazards

MONTH, YEAR = Duration(1, "month"), Duration(1, "year")
WEEKS_PER_MONTH = MONTH.over(WEEK)
WEEKS_PER_YEAR = YEAR.over(WEEK)
SECOND_WAITS = ("to_28_days", "29_to_56_days", "57_to_90_days", "over_90_days")
#: Utility instruments with a stated mapping to the bands, by condition.
INSTRUMENTS = {"depression": ("SF-6D", "EQ-5D"), "anxiety": ("SF-6D",)}


@dataclass(frozen=True, eq=False)
class Arrays:
    """What happens and what it is worth, per draw D, band B, interval P, class G of second wait.

    Attributes
    ----------
    interval
        (T,) interval of natural recovery that holds from week t to t + 1.
    recover, worsen
        (D, P, B) probability per week of moving to the first band, to the next worse band.
    relapse
        (D,) probability per week of moving from the first band to `relapse_to`.
    relapse_to
        (starting bands,) index of a band.
    effect
        (D, B, B) moves at the end of treatment.
    names, values
        What a week in a band is worth: names of the rewards, (D, rewards, B).
    first, rest
        (D, B) cost in £ of the first session and of the rest of the course, paid at the second.
    engaged
        (D, B) probability that somebody seen in a band goes on after the first session.
    second_shares, second_weeks
        (D, G) of the second wait, among those who go on after the first session: shares by class.
    treatment_weeks
        (D,) from second session to the end.
    dropout
        (D,) probability per week of leaving, before the first session and before the second.
    factor
        (D,) discount factor of a week.
    course
        (D, B) cost of a full course in £.
    week_of_work
        (D,) value in £; None for anxiety, where nothing is published on work lost.
    """

    interval: np.ndarray
    recover: np.ndarray
    worsen: np.ndarray
    relapse: np.ndarray
    relapse_to: np.ndarray
    effect: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    first: np.ndarray
    rest: np.ndarray
    engaged: np.ndarray
    second_shares: np.ndarray
    second_weeks: np.ndarray
    treatment_weeks: np.ndarray
    dropout: np.ndarray
    factor: np.ndarray
    course: np.ndarray
    week_of_work: np.ndarray | None


class _Draws(dict):
    def __missing__(self, name):
        raise ParameterError(
            f"The draws lack the input {name}. Draw all inputs with draw_inputs(load_inputs(), …)."
        )


def assemble(model, draws: Mapping[str, np.ndarray]) -> Arrays:
    """Arrays of a `WaitingModel` for all draws.

    Raises
    ------
    ParameterError
        An input that is absent, of another length, NaN, or out of its range (`ranges.RANGES`).
    """
    draws = _checked(draws)
    recover, worsen = _natural(model, draws)
    first, rest, course = _costs(model, draws)
    shares, weeks = _second_wait(model, draws)
    names, values = _worth(model, draws)
    engaged = np.repeat(draws[f"engaged_{model.provider}"][:, None], course.shape[1], 1)
    if not model.treat_recovered:
        engaged[:, 0] = 0.0
    relapse = rate_from_probability(draws[f"relapse_{model.condition}"], YEAR, per=WEEK)
    return Arrays(
        interval=_intervals(model),
        recover=recover,
        worsen=worsen,
        relapse=-np.expm1(-relapse),
        relapse_to=severity.relapse_to(model.condition),
        effect=_effect(model, draws),
        names=names,
        values=values,
        first=first,
        rest=rest,
        engaged=engaged,
        second_shares=shares,
        second_weeks=weeks,
        treatment_weeks=_whole(draws["treatment_weeks"]),
        dropout=draws["dropout_per_week"],
        factor=(1 + draws["discount_per_year"]) ** (-1 / WEEKS_PER_YEAR),
        course=course,
        week_of_work=draws["week_of_work"] if "productivity" in names else None,
    )


def _checked(draws: Mapping[str, np.ndarray]) -> _Draws:
    found = _Draws({k: np.atleast_1d(np.asarray(v, dtype=float)) for k, v in draws.items()})
    lengths = {len(v) for v in found.values()}
    if len(lengths) != 1:
        raise ParameterError("The inputs must all have the same number of draws, one or more.")
    check_draws(found)
    return found


def _whole(weeks: np.ndarray) -> np.ndarray:
    return np.maximum(np.rint(weeks), 1).astype(np.int64)


def _intervals(model) -> np.ndarray:
    weeks = np.arange(model.horizon_weeks)
    if model.recovery != "declining":
        return np.zeros(len(weeks), dtype=np.int64)
    return np.searchsorted(DECLINING_ENDS, weeks, side="right")


def _natural(model, draws) -> tuple[np.ndarray, np.ndarray]:
    """Weekly probabilities of two competing exits, from their rates."""
    recovery = hazards(check(model.recovery, model.condition), model.condition, draws)
    worse = np.zeros((len(recovery), 1, recovery.shape[2]))
    for b, band in enumerate(severity.BANDS[model.condition][1:-1], start=1):
        p = draws[f"deterioration_{model.condition}_{severity.key(band)}"]
        worse[:, 0, b] = rate_from_probability(p, MONTH, per=WEEK)
    both = recovery + worse
    leaves = -np.expm1(-both)
    share = np.divide(recovery, both, out=np.zeros_like(both), where=both > 0)
    return leaves * share, leaves * (1 - share)


def _effect(model, draws) -> np.ndarray:
    edge = severity.edges(model.condition)
    if model.condition == "depression":
        effect = draws["effect_mean"]
        if model.effect == "predictive":
            effect = effect + draws["effect_tau"] * draws["effect_place"]
        return severity.shift(
            edge, draws["phq9_mean"], draws["phq9_sd"], effect, draws["response_cv_depression"]
        )
    responds = np.clip(1 - draws["rr_nonresponse_anxiety"], 0.0, 1.0)
    moved = np.stack(
        [
            severity.halved("anxiety", mean, sd)
            for mean, sd in zip(*_distinct(draws["gad7_mean"], draws["gad7_sd"]), strict=True)
        ]
    )
    stay = np.eye(len(edge) - 1)
    return stay + responds[:, None, None] * (moved - stay)


def _distinct(mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first of each when all draws are alike, as they are for published figures."""
    same = np.ptp(mean) == 0 and np.ptp(sd) == 0
    return (mean[:1], sd[:1]) if same else (mean, sd)


def _costs(model, draws) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keys = [severity.key(b) for b in severity.BANDS[model.condition][1:]]
    course = np.stack([draws[f"course_{model.provider}_{model.condition}_{k}"] for k in keys], -1)
    # No course is printed for the first band; who is seen there costs what a mild course does.
    course = np.concatenate([course[:, :1], course], -1)
    share = draws["first_session_share"][:, None]
    return course * share, course * (1 - share), course


def _second_wait(model, draws) -> tuple[np.ndarray, np.ndarray]:
    if model.second_wait_weeks is not None:
        n = len(draws["treatment_weeks"])
        return np.ones((n, 1)), np.full((n, 1), model.second_wait_weeks, dtype=np.int64)
    shares = np.stack([draws[f"second_wait_share_{c}"] for c in SECOND_WAITS], -1)
    weeks = np.stack([draws[f"second_wait_weeks_{c}"] for c in SECOND_WAITS], -1)
    weeks = _whole(weeks)
    # Published are waits of those who came: of those who set out, more were to wait long.
    shares /= (1 - draws["dropout_per_week"][:, None]) ** weeks
    return shares / shares.sum(-1, keepdims=True), weeks


def _worth(model, draws) -> tuple[tuple[str, ...], np.ndarray]:
    """Background cost, QALYs per instrument, and weeks of work lost, of a week in each band."""
    condition = model.condition
    keys = [severity.key(b) for b in severity.BANDS[condition]]
    worth = {
        "background": np.stack([draws[f"background_{condition}_{k}"] for k in keys], -1)
        / WEEKS_PER_MONTH
    }
    for name in INSTRUMENTS[condition]:
        short = name.replace("-", "").lower()
        utility = np.stack([draws[f"utility_{short}_{condition}_{k}"] for k in keys], -1)
        worth[name] = utility / WEEKS_PER_YEAR
    if condition == "depression":
        points = severity.mean_scores(
            severity.edges(condition), draws["phq9_mean"], draws["phq9_sd"]
        )
        lost = draws["productivity_per_point"][:, None] * points
        worth["productivity"] = np.minimum(lost, 1.0) * draws["employed_share"][:, None]
    return tuple(worth), np.stack(list(worth.values()), 1)

"""Tables of `subtypes`: the numbers behind every figure, with n and uncertainty."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from iesoresearch.analyses._linked import cells, same, together
from iesoresearch.analyses.subtypes import carried, moves, quality
from iesoresearch.analyses.subtypes.cells import grid, value, with_interval
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.describe import describe
from iesoresearch.analyses.subtypes.fitted import ITEM_NAMES, PROFILE, Fitted, item_scores
from iesoresearch.analyses.subtypes.people import shares
from iesoresearch.measures import PHQ9, score
from iesoresearch.results import Related, Table, Value

CRITERIA = {
    "AIC": "aic_",
    "BIC (n = people)": "bic_",
    "BIC (n = occasions)": "bic_observations_",
    "ICL": "icl_",
}
HELD_OUT = "−2 × held-out log-likelihood"


def summary(data: Data) -> Table:
    """How many people, sessions and answers there are."""
    scored = score(data.cohort.contacts, PHQ9)
    rows = {
        "people with at least one PHQ-9 answer": data.n_people,
        "people left out, no PHQ-9 answer at all": data.sequences.n_without_answers,
        "later referrals of the same people, left out": data.sequences.n_later_referrals,
        "occasions of those people, skipped ones included": len(data.sequences.items),
        "occasions with all nine items answered": int((scored["phq9_status"] == "complete").sum()),
        "occasions with a total of 10 or more, prorated ones included": int(
            (scored["phq9_total"] >= 10).sum()
        ),
    }
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", digits=0, sensitivity=data.sensitivity)
    return Table(f"The data: {data.cohort.name}", frame, {"what": ""}, {"count": count})


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """All tables of the result, by name."""
    tables = {
        "criteria": _criteria(fitted),
        "fit": _fit(fitted),
        "states": _states(fitted),
        "item_profiles": _item_profiles(fitted),
        "answer_probabilities": carried.answer_probabilities(fitted),
        "people": _people(fitted),
        "stability": quality.stability(fitted),
        "state_stability": quality.state_stability(fitted),
        "subtypes": quality.subtypes(fitted),
        "residuals": quality.residuals(fitted),
    }
    if not fitted.model.one_occasion_:
        tables |= {
            "transitions": moves.transitions(fitted),
            "state_shares": moves.state_shares(fitted),
            "flow": moves.flow(fitted),
            "other_assumptions": quality.other_assumptions(fitted),
        }
    if fitted.data.sensitivity == "open":
        return tables
    return together(tables, _people_counted(tables, fitted))


def _people_counted(tables: dict[str, Table], fitted: Fitted) -> Iterable[Related]:
    """Who is counted in several tables; expected numbers of people are no counts of anybody."""
    everybody = "fit", "n", (fitted.chosen,)
    for name in ("criteria", "fit", "stability", "residuals", "other_assumptions"):
        yield from same(everybody, *cells(tables, name, "n"))
    yield from same(everybody, *cells(tables, "states", "of"))
    for at in cells(tables, "state_shares", "n"):
        row = at[2]
        session = "state_shares", "n", (row[0], 1)
        yield from same(session, at)
        if row[1] == 1:
            # all have a first session; a later one, or an answer at it, not everybody
            yield everybody, (session,), bool(row[0] == fitted.data.sessions[0])


def _criteria(fitted: Fitted) -> Table:
    """Every criterion for every number of states; AIC and BIC for every random start."""
    rows = []
    for k, model in fitted.models.items():
        best = {name: getattr(model, c) for name, c in criteria_of(fitted).items()}
        rows += [(k, name, 1, x) for name, x in best.items()]
        rows.append((k, HELD_OUT, 1, -2 * (fitted.data.counting @ fitted.held_out[k])))
        for rank, start in enumerate(model.starts_["log_likelihood"][1:], start=2):
            worse = 2 * (model.log_likelihood_ - start)
            # ICL needs the entropy, which is kept for the best start only
            rows += [(k, name, rank, x + worse) for name, x in best.items() if name != "ICL"]
    keys = {"n_states": "States", "criterion": "Criterion", "start": "Start, best first"}
    frame = pl.DataFrame(rows, schema=[*keys, "value"], orient="row").with_columns(
        n=pl.lit(fitted.data.n_people)
    )
    # criteria are read beside each other: all are there, or none
    most = max(model.n_parameters_ for model in fitted.models.values())
    values = {
        "value": value(fitted, "model", "Value", 1, "n", parameters=most),
        "n": value(fitted, "count", "People", 0),
    }
    return Table("Information criteria (smaller is better)", frame, keys, values)


def criteria_of(fitted: Fitted) -> dict[str, str]:
    """Criteria that mean something: with survey weights there is no likelihood to penalise."""
    return CRITERIA if fitted.data.weights is None else {}


#: Columns of the tables of fit: heading and digits.
_FIT = {
    "log_likelihood": ("Log-likelihood", 1),
    "n_parameters": ("Parameters", 0),
    "aic": ("AIC", 1),
    "bic": ("BIC (n = people)", 1),
    "bic_observations": ("BIC (n = occasions)", 1),
    "icl": ("ICL", 1),
    "entropy": ("Relative entropy", 3),
    "held_out": ("Held-out log-likelihood per person", 4),
}


def _fit(fitted: Fitted) -> Table:
    weights = fitted.data.counting
    unweighted = fitted.data.weights is None
    columns = [c for c in _FIT if unweighted or f"{c}_" not in CRITERIA.values()]
    rows = []
    for k, model in fitted.models.items():
        held_out = fitted.held_out[k]
        found = {"held_out": np.average(held_out, weights=weights)}
        row = {c: found[c] if c in found else getattr(model, f"{c}_") for c in columns}
        rows.append({"n_states": k, **row, "n": fitted.data.n_people})
    estimated = {c: {"parameters": "n_parameters"} for c in columns if c != "n_parameters"}
    values = {c: value(fitted, "model", *_FIT[c], "n", **estimated.get(c, {})) for c in columns}
    values["n"] = value(fitted, "count", "People", 0)
    return Table("Fit by number of states", pl.DataFrame(rows), {"n_states": "States"}, values)


def _states(fitted: Fitted) -> Table:
    k = fitted.chosen
    frame = grid(state=range(1, k + 1)).with_columns(
        n=pl.Series(fitted.people_in_state), of=pl.lit(fitted.data.n_people)
    )
    share = fitted.model.initial_probs_
    when = "Share of people" if fitted.model.one_occasion_ else "Share at the first session"
    frame, values = with_interval(
        fitted, frame, "share", share, when, 3, "share", "rate", (), of="of",
        parameters=fitted.model.n_parameters_,
    )  # fmt: skip
    total = item_scores(fitted.model.item_probs_).sum(axis=1)
    frame, more = with_interval(fitted, frame, "total", total, "Expected total", 1, "total",
                                parameters=PROFILE)  # fmt: skip
    low, high = fitted.interval("deviation")
    frame = frame.with_columns(words=pl.Series(describe(total, fitted.deviations, low, high)))
    values |= more | {
        "words": value(fitted, "model", "In words", 0, "n", parameters=PROFILE),
        "n": value(fitted, "count", "People ever in it, expected", 0),
        "of": value(fitted, "count", "of", 0),
    }
    return Table("States, by expected total", frame, {"state": "State"}, values)


def _item_profiles(fitted: Fitted) -> Table:
    k = fitted.chosen
    frame = grid(state=range(1, k + 1), item=ITEM_NAMES).with_columns(
        n=pl.Series(np.repeat(fitted.people_in_state, len(ITEM_NAMES)))
    )
    scores = item_scores(fitted.model.item_probs_)
    frame, values = with_interval(
        fitted, frame, "score", scores, "Expected item score (0–3)", 2, "score", parameters=PROFILE
    )
    values["n"] = value(fitted, "count", "Expected people", 0)
    keys = {"state": "State", "item": "PHQ-9 item"}
    return Table("Item profile of each state", frame, keys, values)


def _people(fitted: Fitted) -> Table:
    """Share of people with each characteristic by the state they start in, with intervals."""
    share, n = shares(fitted.starting, fitted.people.values, fitted.data.counting)
    frame = grid(state=range(1, fitted.chosen + 1), characteristic=fitted.people.labels)
    frame = frame.with_columns(n=pl.Series(n.ravel()))
    frame, values = with_interval(
        fitted, frame, "share", share, "Share", 3, "people", "rate", ("characteristic",)
    )
    values["n"] = value(fitted, "count", "Expected people known", 0)
    keys = {"state": "First state", "characteristic": "Characteristic"}
    return Table("Who starts in which state, and what becomes of them", frame, keys, values)

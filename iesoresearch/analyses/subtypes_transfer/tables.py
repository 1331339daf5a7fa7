"""Tables of `subtypes_transfer`: the numbers behind every figure, with n and uncertainty."""

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes_transfer.fitted import CERTAIN, Fitted
from iesoresearch.analyses.subtypes_transfer.samples import Data
from iesoresearch.measures import PHQ9
from iesoresearch.models import selection
from iesoresearch.models.selection import Gain
from iesoresearch.results import Table, Value

ITEM_NAMES = tuple(item.name for item in PHQ9.items)
FITTED, REFITTED = "fitted", "refitted in the new sample"


def summary(data: Data) -> Table:
    """How many people there are, and how many answers they left out."""
    rows = {
        f"people the states are fitted to ({data.fit_name})": len(data.fit_items),
        f"people the states are assigned to ({data.new_name})": len(data.new_items),
        "of the former, with all nine items answered": int((data.fit_items >= 0).all(1).sum()),
        "of the latter, with all nine items answered": int((data.new_items >= 0).all(1).sum()),
    }
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", digits=0, sensitivity=data.sensitivity)
    halved = ", one cycle in random halves" if data.halved else ""
    return Table(f"The two samples{halved}", frame, {"what": ""}, {"count": count})


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """All tables of the result, by name."""
    return {
        "likelihood": _likelihood(fitted),
        "class_shares": _class_shares(fitted),
        "states": _states(fitted),
        "item_profiles": _item_profiles(fitted),
        "certainty": _certainty(fitted),
    }


def _value(fitted: Fitted, kind, label, digits, denominator="n", **more) -> Value:
    return Value(kind, label, digits, denominator, sensitivity=fitted.data.sensitivity, **more)


def _people(fitted: Fitted) -> Value:
    return _value(fitted, "count", "People", 0, None)


def _interval(fitted: Fitted, name: str, label: str, digits: int, **more) -> dict[str, Value]:
    """Declarations of an estimate and both ends of its interval."""
    follows = name if more else None
    kind = "rate" if more else "model"
    return {
        name: _value(fitted, kind, label, digits, **more),
        f"{name}_low": _value(fitted, "model", "95 % from", digits, follows=follows),
        f"{name}_high": _value(fitted, "model", "to", digits, follows=follows),
    }


def _likelihood(fitted: Fitted) -> Table:
    """Every model that meets the new sample, and what the states carried over gain over it."""
    carried = fitted.new_scores
    one = selection.gain(carried, _one_group(fitted))
    none: Gain = Gain(0.0, 0.0, 0.0, len(carried))
    rows = [
        (f"{fitted.chosen} states, carried over", carried.mean(), none),
        (f"{fitted.chosen} states, refitted, on people left out", fitted.refit_held_out.mean(),
         selection.gain(carried, fitted.refit_held_out)),
        (f"ladder of severity, {fitted.rungs} rungs, carried over",
         fitted.ladder_scores[fitted.rungs].mean(), fitted.lead),
        ("one group, carried over", _one_group(fitted).mean(), one),
    ]  # fmt: skip
    frame = pl.DataFrame(
        [(name, mean, g.estimate, g.low, g.high, g.n) for name, mean, g in rows],
        schema=["model", "log_likelihood", "gain", "gain_low", "gain_high", "n"],
        orient="row",
    )
    values = {"log_likelihood": _value(fitted, "model", "Log-likelihood per person, nats", 3)}
    values |= _interval(fitted, "gain", "States carried over gain, nats", 3)
    values["n"] = _people(fitted)
    return Table("How well the new sample is predicted", frame, {"model": "Model"}, values)


def _one_group(fitted: Fitted) -> np.ndarray:
    return type(fitted.carried).of(fitted.models[1]).score(fitted.data.new_items)


def _class_shares(fitted: Fitted) -> Table:
    """Class shares in the fitted sample, and in the new one by either set of profiles."""
    n_fit, n_new = len(fitted.data.fit_items), len(fitted.data.new_items)
    blocks = [
        ("fitted sample", "fit_share", fitted.carried.shares, n_fit),
        ("new sample, states carried over", "new_share", fitted.new_shares, n_new),
        ("new sample, states refitted", "refit_share", fitted.refitted.shares, n_new),
    ]
    rows = []
    for sample, name, shares, n in blocks:
        low, high = fitted.interval(name)
        rows += [
            (sample, k + 1, shares[k], low[k], high[k], n * shares[k]) for k in range(fitted.chosen)
        ]
    columns = ["sample", "state", "share", "share_low", "share_high", "n"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    values = _interval(fitted, "share", "Share of people", 3, parts_of=("sample",))
    values["n"] = _value(fitted, "count", "Expected people", 0, None)
    keys = {"sample": "Sample", "state": "State"}
    return Table("Class shares", frame, keys, values)


def _states(fitted: Fitted) -> Table:
    """State by state: how the share moved, and how far the matched profiles lie apart."""
    k, far = fitted.chosen, fitted.distances
    low, high = fitted.interval("moved")
    frame = pl.DataFrame(
        {
            "state": range(1, k + 1),
            "total": fitted.carried.item_scores.sum(axis=1),
            "refit_total": fitted.refitted.item_scores.sum(axis=1),
            "moved": fitted.new_shares - fitted.carried.shares,
            "moved_low": low,
            "moved_high": high,
            "distance": far.raw[:-1],
            "chance": far.chance[:-1],
            "beyond": far.beyond[:-1],
            "beyond_low": far.low[:-1],
            "beyond_high": far.high[:-1],
            "n": len(fitted.data.new_items) * fitted.new_shares,
        }
    )
    values = {
        "total": _value(fitted, "model", "Expected total, fitted", 1),
        "refit_total": _value(fitted, "model", "Refitted", 1),
        **_interval(fitted, "moved", "Share moved by", 3),
        "distance": _value(fitted, "model", "Profiles apart, SD", 2),
        "chance": _value(fitted, "model", "By chance alone, SD", 2),
        **_interval(fitted, "beyond", "Beyond chance, SD", 2),
        "n": _value(fitted, "count", "Expected new people", 0, None),
    }
    return Table("States in both samples", frame, {"state": "State"}, values)


def _item_profiles(fitted: Fitted) -> Table:
    """Expected score of every item, fitted and refitted."""
    n = {
        FITTED: len(fitted.data.fit_items) * fitted.carried.shares,
        REFITTED: len(fitted.data.new_items) * fitted.refitted.shares,
    }
    blocks = [(FITTED, "fit_score", fitted.carried), (REFITTED, "refit_score", fitted.refitted)]
    rows = []
    for sample, name, model in blocks:
        scores, (low, high) = model.item_scores, fitted.interval(name)
        rows += [
            (s + 1, item, sample, scores[s, j], low[s, j], high[s, j], n[sample][s])
            for s in range(fitted.chosen)
            for j, item in enumerate(ITEM_NAMES)
        ]
    columns = ["state", "item", "sample", "score", "score_low", "score_high", "n"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    values = _interval(fitted, "score", "Expected item score (0–3)", 2)
    values["n"] = _value(fitted, "count", "Expected people", 0, None)
    keys = {"state": "State", "item": "PHQ-9 item", "sample": "States"}
    return Table("Item profile of each state, fitted and refitted", frame, keys, values)


def _certainty(fitted: Fitted) -> Table:
    """How many people cannot be assigned with some certainty, by the states carried over."""
    names = [
        f"fitted sample ({fitted.data.fit_name})",
        f"new sample ({fitted.data.new_name})",
    ]
    frame = fitted.uncertain.select(
        sample=pl.Series(names),
        uncertain="rate",
        uncertain_low="low",
        uncertain_high="high",
        n="n",
    )
    label = f"Share assigned with a probability below {CERTAIN:g}"
    values = _interval(fitted, "uncertain", label, 3) | {"n": _people(fitted)}
    return Table("People whose state is uncertain", frame, {"sample": "Sample"}, values)

"""The light parts of other analyses, for drawn sites: a given model judged, and states.

Tables have the names and columns that `recovery_transfer` and `subtypes` give them, so that drawn
sites are read as bundles are; intervals of states are those of the observed information, where
`subtypes` draws bootstrap samples.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special

from iesoresearch.analyses.recovery.columns import metric_values, metrics
from iesoresearch.analyses.recovery.data import AtLandmark
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery.tables import types
from iesoresearch.analyses.recovery_transfer.fitted import SHIPPED
from iesoresearch.analyses.recovery_transfer.tables import EVERYBODY
from iesoresearch.analyses.subtypes.fitted import ITEM_NAMES
from iesoresearch.data.cohort import Cohort
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov
from iesoresearch.models.evaluation import evaluate
from iesoresearch.models.prediction.nested import Tuned
from iesoresearch.results import Result, Table, Value

LANDMARK, OUTCOME = 4, "reliable_recovery"
FEWEST = 50  # patients with, and without the outcome, to judge a model
N_BOOTSTRAP = 200
N_INNER = 3
N_STARTS = 5
TOL = 1e-9
_Z = 1.959964
_FAR = 12.0  # log odds beyond which a probability is 0 or 1


@dataclass(frozen=True)
class Model:
    """A model that every site is given."""

    fitted: object

    def predict(self, at: AtLandmark) -> np.ndarray:
        """(rows,) chances."""
        return self.fitted.predict_proba(at.features(OUTCOME))[:, 1]


def model_of(at: AtLandmark) -> Model:
    """A logistic regression of those at risk."""
    made = Tuned("logistic", schema(LANDMARK, OUTCOME), N_INNER, 1)
    return Model(made.fit(at.features(OUTCOME), at.y(OUTCOME), at.patient))


def judged(at: AtLandmark, model: Model, cohort: Cohort, seed: int) -> Result:
    """How good the model's predictions are here."""
    provenance = {"data_fingerprint": cohort.fingerprint, "sensitivity": cohort.sensitivity}
    y = at.y(OUTCOME)
    if min(y.sum(), len(y) - y.sum()) < FEWEST:
        why = f"Not applicable: fewer than {FEWEST} patients with or without the outcome."
        return Result(not_applicable={"performance": why}, provenance=provenance)
    found = evaluate(
        y, model.predict(at), clusters=at.patient, n_boot=N_BOOTSTRAP, random_state=seed, n_jobs=1
    ).overall
    row = {"model": SHIPPED, "judged": EVERYBODY, "n": found.n, "share": found.events / found.n}
    shared = {"sensitivity": cohort.sensitivity}
    values = {
        "n": Value("count", "Referrals", 0, **shared),
        "share": Value("rate", "With the outcome", 3, "n", follows="n", **shared),
    } | metric_values(denominator="n", follows="share", **shared)
    keys = {"model": "Model", "judged": "Judged on"}
    frame = pl.DataFrame([row | metrics(found)], schema=types(keys, values))
    table = Table("How good predictions are", frame, keys, values)
    return Result(tables={"performance": table}, provenance=provenance)


def states(cohort: Cohort, k: int, seed: int) -> Result:
    """A latent Markov model of the PHQ-9 with `k` states, in order of severity."""
    sequences = cohort.sequences(PHQ9)
    model = LatentMarkov(
        k, n_categories=PHQ9.n_categories, n_starts=N_STARTS, tol=TOL, random_state=seed % 2**31,
        n_jobs=1,
    ).fit(sequences.items, sequences.lengths)  # fmt: skip
    errors = model.standard_errors(sequences.items, sequences.lengths)
    n = len(sequences.lengths)
    shared = {"sensitivity": cohort.sensitivity}
    return Result(
        tables={
            "states": _shares(model, errors, n, shared),
            "answer_probabilities": _answers(model, n, shared),
            "transitions": _moves(model, errors, sequences, shared),
        },
        provenance={"data_fingerprint": cohort.fingerprint, "sensitivity": cohort.sensitivity},
    )


def _limits(p: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval on the scale of log odds; NaN where there is no standard error."""
    inside = np.clip(p, special.expit(-_FAR), special.expit(_FAR))
    half = _Z * error / (inside * (1 - inside))
    at = special.logit(inside)
    return special.expit(at - half), special.expit(at + half)


def _shares(model, errors, n: int, shared) -> Table:
    share = model.initial_probs_
    low, high = _limits(share, errors["initial_probs"])
    frame = pl.DataFrame(
        {"state": range(1, len(share) + 1), "n": share * n, "of": [n] * len(share),
         "share": share, "share_low": low, "share_high": high}
    ).fill_nan(None)  # fmt: skip
    values = {
        "n": Value("count", "People at the first session, expected", 0, **shared),
        "of": Value("count", "of", 0, **shared),
        "share": Value(
            "rate", "Share at the first session", 3, "of", parts_of=(), counted=False, **shared
        ),
        "share_low": Value("model", "95 % from", 3, "of", follows="share", **shared),
        "share_high": Value("model", "to", 3, "of", follows="share", **shared),
    }
    return Table("States, by expected total", frame, {"state": "State"}, values)


def _answers(model, n: int, shared) -> Table:
    k, _, levels = model.item_probs_.shape
    rows = [
        (state + 1, item, *model.item_probs_[state, j], n * model.initial_probs_[state])
        for state in range(k)
        for j, item in enumerate(ITEM_NAMES)
    ]
    names = [f"answer_{level}" for level in range(levels)]
    frame = pl.DataFrame(rows, schema=["state", "item", *names, "n"], orient="row")
    values = {name: Value("model", f"Answers {i}", 3, "n", **shared)
              for i, name in enumerate(names)}  # fmt: skip
    values["n"] = Value("count", "Expected people", 0, **shared)
    keys = {"state": "State", "item": "PHQ-9 item"}
    return Table("Answers in each state", frame, keys, values)


def _moves(model, errors, sequences, shared) -> Table:
    k, p = model.n_states, model.transition_matrix_
    low, high = _limits(p, errors["transition_matrix"])
    posterior = model.predict_proba(sequences.items, sequences.lengths)
    last = np.cumsum(sequences.lengths) - 1
    leaving = np.zeros(len(posterior), dtype=bool)
    leaving[last] = True
    departures = posterior[~leaving].sum(axis=0)
    rows = [
        (a + 1, b + 1, departures[a], p[a, b], low[a, b], high[a, b])
        for a in range(k)
        for b in range(k)
    ]
    names = ["origin", "destination", "n", "probability", "probability_low", "probability_high"]
    frame = pl.DataFrame(rows, schema=names, orient="row").fill_nan(None)
    values = {
        "n": Value("count", "Expected moves", 0, **shared),
        "probability": Value(
            "rate", "Probability", 3, "n", parts_of=("origin",), counted=False, **shared
        ),
        "probability_low": Value("model", "95 % from", 3, "n", follows="probability", **shared),
        "probability_high": Value("model", "to", 3, "n", follows="probability", **shared),
    }
    keys = {"origin": "From state", "destination": "To state"}
    return Table("Moves from one session to the next", frame, keys, values)

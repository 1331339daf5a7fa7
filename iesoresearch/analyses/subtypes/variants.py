"""Other assumptions about moves and drop-out: would they change the picture."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import xlogy

from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.models import LatentMarkov
from iesoresearch.models.bootstrap import start_values

_STAYERS = 0.2  # share of stayers at which their fit starts
_LEAVES = 0.1  # probability of drop-out at which its fit starts
_LONGEST = 12  # sessions beyond which transitions by occasion are not tried: too few are left
#: Ends of a referral: dropped out (1) or not (0). Others, as still in care, are not known.
_ENDS = {
    "treated: ended early by the patient": 1,
    "treated: completed": 0,
    "treated: ended early by the professional": 0,
}


@dataclass(frozen=True)
class Variant:
    """One other assumption, beside the model shown.

    Attributes
    ----------
    name
        What is assumed.
    parameters
        How many more there are.
    gain
        Log-likelihood above that of the model shown, in nats.
    bic
        BIC (n = people) above that of the model shown; negative is better.
    change
        Largest change of a transition probability.
    converged
        Whether EM did.
    """

    name: str
    parameters: int
    gain: float
    bic: float
    change: float
    converged: bool


def dropped_out(data: Data) -> np.ndarray | None:
    """How the sessions of each person ended, as `LatentMarkov.fit` takes it; None if unknown."""
    ends = pl.DataFrame({"referral_id": data.referral_ids}).join(
        data.cohort.referrals, on="referral_id", how="left", maintain_order="left"
    )["end_reason"]
    known = ends.cast(pl.String).replace_strict(_ENDS, default=-1, return_dtype=pl.Int8).to_numpy()
    return known if (known == 1).any() and (known == 0).any() else None


def variants(model: LatentMarkov, data: Data) -> list[Variant]:
    """State-dependent drop-out, stayers and transitions by occasion, each beside `model`.

    Each is fitted from the model shown, so that its states keep their numbers.
    """
    start, longest = start_values(model), int(data.sequences.lengths.max())
    found = []
    ends = dropped_out(data)
    if ends is not None:
        init = start | {"dropout_probs": np.full(model.n_states, _LEAVES)}
        name = "drop-out depends on the state"
        found.append(_beside(name, model, data, {"init": init}, dropped_out=ends))
    init = start | {"stayer_shares": np.full(model.n_states, _STAYERS)}
    name = "some never leave their first state"
    found.append(_beside(name, model, data, {"init": init, "stayers": True}))
    if longest <= _LONGEST:
        matrices = np.repeat(model.transition_matrix_[None], longest - 1, axis=0)
        init = start | {"transition_matrix": matrices}
        name = "moves differ between sessions"
        more = {"init": init, "transitions": "by_occasion"}
        found.append(_beside(name, model, data, more))
    return found


def _beside(name: str, model: LatentMarkov, data: Data, settings: dict, **fit) -> Variant:
    other = LatentMarkov(**model.get_params() | settings)
    other.fit(data.sequences.items, data.sequences.lengths, **fit)
    base, parameters = model.log_likelihood_, model.n_parameters_
    if fit:  # beside drop-out that is as likely in every state
        more, n_more = _constant_drop_out(fit["dropped_out"], data.sequences.lengths)
        base, parameters = base + more, parameters + n_more
    gain, extra = other.log_likelihood_ - base, other.n_parameters_ - parameters
    moved = np.abs(other.transition_matrix_ - model.transition_matrix_).max()
    bic = -2 * gain + np.log(data.n_people) * extra
    return Variant(name, extra, gain, bic, float(moved), other.converged_)


def _constant_drop_out(ends: np.ndarray, lengths: np.ndarray) -> tuple[float, int]:
    """Log-likelihood of drop-out that is as likely in every state, and its parameters."""
    left = int((ends == 1).sum())
    stayed = int((lengths - 1).sum() + (ends == 0).sum())
    total = left + stayed
    return float(xlogy(left, left / total) + xlogy(stayed, stayed / total)), 1

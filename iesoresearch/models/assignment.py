"""Assigning people, new ones too, to the states of a fitted model; one answer is "uncertain"."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths

UNCERTAIN = -1  # the state of people who are assigned to none


@dataclass(frozen=True)
class Assignment:
    """States of people at their first and at their current, that is last, session.

    Attributes
    ----------
    first_probs, current_probs : (people, states) array
        Probability of each state given all answers of the person, rows summing to one.
    first, current : (people,) array of int
        The most probable state, or `UNCERTAIN` where its probability is below `certain`.
    answered : (people,) array of bool
        Whether the person answered anything. Who did not is uncertain, and her probabilities are
        those of the model before any answer.
    possible : (people,) array of bool
        Whether the model can explain the answers at all. Who gave an answer that the model has
        never seen in any state she may be in is uncertain, with the probabilities of somebody who
        answered nothing.
    certain : float
        The probability that was asked for.
    """

    first_probs: np.ndarray
    current_probs: np.ndarray
    first: np.ndarray
    current: np.ndarray
    answered: np.ndarray
    possible: np.ndarray
    certain: float

    @property
    def counts(self) -> dict[str, int]:
        """People in all, assigned and uncertain at the current session, and why uncertain."""
        return {
            "people": len(self.current),
            "assigned": int((self.current != UNCERTAIN).sum()),
            "uncertain": int((self.current == UNCERTAIN).sum()),
            "without_answers": int((~self.answered).sum()),
            "impossible_answers": int((~self.possible).sum()),
        }

    def people_in_state(self) -> np.ndarray:
        """People currently assigned to each state: (states,)."""
        sure = self.current[self.current != UNCERTAIN]
        return np.bincount(sure, minlength=self.current_probs.shape[1])


def assign(model: LatentMarkov, items, lengths=None, *, certain: float = 0.8) -> Assignment:
    """Current and first state of each person, and how sure they are.

    Among the people assigned with probability p a share p is right, if the model is: of people
    of another population, or answers under other circumstances, this does not follow.

    Parameters
    ----------
    model
        Fitted or loaded.
    items, lengths
        As in `LatentMarkov.fit`; people without any answer are allowed.
    certain
        Least probability of a state for people to be assigned to it; 0.8 means that at most one
        in five of them is in another.

    Raises
    ------
    DataError
        Answers outside their levels, or other items than the model was fitted to.
    ParameterError
        `certain` is not above 0 and at most 1.
    """
    if not 0 < certain <= 1:
        raise ParameterError(f"certain={certain!r} must be a probability above 0, at most 1.")
    items = check_items(items)
    bounds = check_lengths(items, lengths)
    lengths = np.diff(bounds)
    possible = np.isfinite(model.score_samples(items, lengths))
    seen = np.where(np.repeat(possible, lengths)[:, None], items, np.int8(-1))
    posterior = model.predict_proba(seen, lengths)
    answered = np.logical_or.reduceat((items >= 0).any(axis=1), bounds[:-1])
    known = answered & possible
    first_probs, current_probs = posterior[bounds[:-1]], posterior[bounds[1:] - 1]
    return Assignment(
        first_probs=first_probs,
        current_probs=current_probs,
        first=_states(first_probs, known, certain),
        current=_states(current_probs, known, certain),
        answered=answered,
        possible=possible,
        certain=certain,
    )


def _states(probs: np.ndarray, known: np.ndarray, certain: float) -> np.ndarray:
    return np.where(known & (probs.max(axis=1) >= certain), probs.argmax(axis=1), UNCERTAIN)

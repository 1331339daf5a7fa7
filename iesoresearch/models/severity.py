"""Do states differ in kind, or only in severity? One procedure, from answers to a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import selection
from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths, check_weights
from iesoresearch.seeds import derive

AS_GOOD = 0.001  # nats per person within which ladders count as equally good
RUNGS = (4, 7, 10)
LADDER_STARTS = 1  # random starts of a ladder: all end within a few nats of each other
N_SPLITS = 2  # of people into halves, for the distance


@dataclass(frozen=True)
class Severity:
    """The answer to `severity_question`, and what it rests on.

    Attributes
    ----------
    states, ladder
        Fitted to everybody, with the dependent pairs.
    states_held_out, ladder_held_out
        (people,): log-likelihood of every person under either model fitted without her, in nats.
    gain
        Of the states over the ladder, per person.
    distance
        Of the states' profiles from the ladder over all sessions, in standard deviations of an
        item: cross-fitted, so that noise in the profiles does not add to it.
    split_distances
        (splits,): the same from every split of the people into halves.
    distances
        (states,): of every state, as estimated, noise included.
    state_distances
        (states,): the same cross-fitted; 0 where the halves do not agree on a departure.
    sessions
        Mean number of a person.
    verdict
        "differs in kind", "severity only" or "inconclusive" (see `selection.verdict`).
    """

    states: LatentMarkov
    ladder: SeverityLadder
    states_held_out: np.ndarray
    ladder_held_out: np.ndarray
    gain: selection.Gain
    distance: float
    split_distances: np.ndarray
    distances: np.ndarray
    state_distances: np.ndarray
    sessions: float

    @property
    def verdict(self) -> str:
        """See `selection.verdict`."""
        return selection.verdict(self.gain, self.distance, self.sessions)


@dataclass(frozen=True)
class _Question:
    """Answers of people, and how models are fitted to them."""

    items: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray | None
    units: np.ndarray | None
    seed: int
    settings: dict

    def estimator(self, kind: type[LatentMarkov], k: int) -> LatentMarkov:
        random_state = derive(self.seed, kind.__name__, k)
        settings = dict(self.settings)
        if kind is SeverityLadder:
            settings["n_starts"] = LADDER_STARTS
        return kind(k, random_state=random_state, **settings)

    def fitted(self, kind: type[LatentMarkov], k: int, people=None) -> LatentMarkov:
        """Fitted to `people`, or to everybody."""
        people = np.arange(len(self.lengths)) if people is None else people
        weights = None if self.weights is None else self.weights[people]
        rows = selection.rows_of(people, self.lengths)
        return self.estimator(kind, k).fit(self.items[rows], self.lengths[people], weights=weights)

    def held_out(self, kind: type[LatentMarkov], k: int, folds: np.ndarray) -> np.ndarray:
        return selection.held_out_log_likelihood(
            self.estimator(kind, k), self.items, self.lengths, folds=folds, weights=self.weights
        )

    def mean(self, values: np.ndarray) -> float:
        return float(np.average(values, weights=self.weights))

    @property
    def item_sd(self) -> np.ndarray:
        """(items,): weighted standard deviation over all answers."""
        by_row = np.ones(len(self.items))
        if self.weights is not None:
            by_row = np.repeat(self.weights, self.lengths)
        out = np.empty(self.items.shape[1])
        for j, column in enumerate(self.items.T):
            seen = column >= 0
            mean = np.average(column[seen], weights=by_row[seen])
            out[j] = np.sqrt(np.average((column[seen] - mean) ** 2, weights=by_row[seen]))
        return out


def severity_question(
    items,
    lengths=None,
    *,
    n_categories,
    seed: int,
    n_states: int | None = None,
    max_states: int = 6,
    rungs: Sequence[int] = RUNGS,
    dependent_pairs=(),
    weights=None,
    units=None,
    n_folds: int = 5,
    n_splits: int = N_SPLITS,
    n_starts: int = 3,
    tol: float = 1e-7,
    n_jobs: int | None = None,
) -> Severity:
    """Compare free states with a ladder of severity that has every other freedom.

    Both models get the dependent pairs, so that neither has to spend states on them. The number of
    states is that of the smallest BIC, unless given; the number of rungs the smallest that predicts
    people it has not seen as well as any does. Gains are held-out, distances cross-fitted.

    Parameters
    ----------
    items, lengths, n_categories
        As in `LatentMarkov.fit`.
    seed
        Of starts, folds and halves.
    n_states
        Number of free states; by default the one from 1 to `max_states` with the smallest BIC.
    max_states
        Most states that are tried.
    rungs
        Lengths of the ladders that are tried.
    dependent_pairs
        As in `LatentMarkov`.
    weights, units
        (people,): survey weights and units. Folds and halves are made of whole units; with weights
        a BIC means nothing, so `n_states` has to be given.
    n_folds, n_splits
        Folds of the people; times they are split into halves.
    n_starts, tol, n_jobs
        Random starts of free states, tolerance and threads of every fit.

    Raises
    ------
    ParameterError
        Weights without `n_states`.
    DataError
        As in `LatentMarkov.fit`, or `units` are not one of each person.
    """
    if weights is not None and n_states is None:
        raise ParameterError(
            "With weights there is no BIC to choose the number of states by. Give n_states."
        )
    items = check_items(items)
    lengths = np.diff(check_lengths(items, lengths))
    units = None if units is None else np.asarray(units)
    if units is not None and units.shape != lengths.shape:
        raise DataError(
            f"units has shape {units.shape}; it must name the survey unit of each of the "
            f"{len(lengths)} people."
        )
    question = _Question(
        items=items,
        lengths=lengths,
        weights=check_weights(weights, len(lengths)),
        units=units,
        seed=seed,
        settings={
            "n_categories": n_categories,
            "dependent_pairs": dependent_pairs,
            "n_starts": n_starts,
            "tol": tol,
            "n_jobs": n_jobs,
        },
    )
    tried = range(1, max_states + 1) if n_states is None else [n_states]
    models = [question.fitted(LatentMarkov, k) for k in tried]
    return _answer(question, min(models, key=lambda model: model.bic_), rungs, (n_folds, n_splits))


def _answer(question: _Question, states: LatentMarkov, rungs, parts: tuple) -> Severity:
    n_people, (n_folds, n_splits) = len(question.lengths), parts
    folds = selection.folds_of(n_people, n_folds, derive(question.seed, "folds"), question.units)
    ladders = {r: question.held_out(SeverityLadder, r, folds) for r in rungs}
    best = max(map(question.mean, ladders.values()))
    chosen = min(r for r in rungs if question.mean(ladders[r]) > best - AS_GOOD)
    states_held_out = question.held_out(LatentMarkov, states.n_states, folds)
    ladder = question.fitted(SeverityLadder, chosen)
    squares = _squared_distances(question, states, chosen, n_splits)
    shares = states.answer_counts_.sum(axis=1)
    by_split = np.average(squares, axis=1, weights=shares)
    return Severity(
        states=states,
        ladder=ladder,
        states_held_out=states_held_out,
        ladder_held_out=ladders[chosen],
        gain=selection.gain(states_held_out, ladders[chosen], question.weights, question.units),
        distance=float(_root(np.average(squares.mean(axis=0), weights=shares))),
        split_distances=_root(by_split),
        distances=selection.profile_distances(states.item_probs_, ladder, question.item_sd),
        state_distances=_root(squares.mean(axis=0)),
        sessions=question.mean(question.lengths),
    )


def _root(square):
    """Root of a squared distance; noise may take the estimate of a small one below zero."""
    return np.sqrt(np.maximum(square, 0.0))


def _squared_distances(question: _Question, states: LatentMarkov, rungs: int, n_splits: int):
    """Mean product of the departures from the ladder found in two halves: (splits, states).

    Noise makes every estimated profile lie off the ladder. The noise of one half is independent of
    that of the other, so the product of two departures has the squared true one as its mean
    (cross-validated distance, Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012). States
    of either half are matched to those of everybody.
    """
    products = []
    for split in range(n_splits):
        n_people, seed = len(question.lengths), derive(question.seed, "halves", split)
        half = selection.folds_of(n_people, 2, seed, question.units)
        one, other = (
            _departures(question, states, rungs, np.flatnonzero(half == h)) for h in (0, 1)
        )
        products.append((one * other).mean(axis=1))
    return np.array(products)


def _departures(question: _Question, states: LatentMarkov, rungs: int, people) -> np.ndarray:
    """Of states refitted to `people` from a ladder refitted to them: (states, items)."""
    refit = question.fitted(LatentMarkov, states.n_states, people)
    ladder = question.fitted(SeverityLadder, rungs, people)
    order = selection.match_states(states.item_probs_, refit.item_probs_)
    return selection.departures(refit.item_probs_[order], ladder, question.item_sd)

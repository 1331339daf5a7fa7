"""What `subtypes` computes once and its tables and sentences read."""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.data.cohort import Cohort, Sequences
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, SeverityLadder, selection
from iesoresearch.models.bootstrap import Sample


@dataclass(frozen=True)
class Data:
    """What the analysis works on: the cohort, its PHQ-9 answers as sequences, threads to use."""

    cohort: Cohort
    sequences: Sequences
    n_jobs: int = 1

    @property
    def sensitivity(self):
        """Of the cohort."""
        return self.cohort.sensitivity

    @property
    def n_people(self) -> int:
        """People with at least one answer."""
        return len(self.sequences.lengths)

    @property
    def sessions(self) -> np.ndarray:
        """Numbers of all sessions that somebody had."""
        sequences = self.sequences
        return np.unique(sequences.session[sequences.rows >= 0])

    def by_session(self, posterior: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Mean of `posterior` over those who had each session: (sessions, states).

        `rows` are the rows of the sequences behind `posterior`, by default all. A session that
        none of them had is NaN.
        """
        sequences = self.sequences
        rows = np.arange(len(sequences.items)) if rows is None else rows
        seen = sequences.rows[rows] >= 0
        place = np.searchsorted(self.sessions, sequences.session[rows][seen])
        n = np.bincount(place, minlength=len(self.sessions))
        sums = [
            np.bincount(place, weights=column, minlength=len(self.sessions))
            for column in posterior[seen].T
        ]
        return np.stack(sums, axis=1) / np.where(n > 0, n, np.nan)[:, None]

    @cached_property
    def people_by_session(self) -> np.ndarray:
        """How many people had each session."""
        sequences = self.sequences
        return np.unique(sequences.session[sequences.rows >= 0], return_counts=True)[1]

    @cached_property
    def item_sd(self) -> np.ndarray:
        """Standard deviation of each item over all its answers."""
        items = self.sequences.items
        return np.array([column[column >= 0].std() for column in items.T])


AS_GOOD = 0.001  # nats per person within which ladders count as equally good


def item_scores(item_probs: np.ndarray) -> np.ndarray:
    """Expected item scores: (states, items)."""
    return item_probs @ np.arange(item_probs.shape[2])


@dataclass(frozen=True)
class Fitted:
    """Models of every number of states, the ladders, and the model shown in detail.

    `held_out` and `ladders_held_out` hold the log-likelihood of every person under models fitted
    without her; `draws` the bootstrap replicates of the model shown.
    """

    data: Data
    models: dict[int, LatentMarkov]
    held_out: dict[int, np.ndarray]
    ladders: dict[int, SeverityLadder]
    ladders_held_out: dict[int, np.ndarray]
    chosen: int
    by_hand: bool  # whether `chosen` was asked for
    draws: dict[str, np.ndarray]

    @property
    def model(self) -> LatentMarkov:
        """The model shown in detail."""
        return self.models[self.chosen]

    @property
    def rungs(self) -> int:
        """Of the shortest ladder that predicts people it has not seen as well as any does."""
        means = {rungs: values.mean() for rungs, values in self.ladders_held_out.items()}
        return min(rungs for rungs in means if means[rungs] > max(means.values()) - AS_GOOD)

    @cached_property
    def gain(self) -> selection.Gain:
        """Held-out gain of the model shown over the ladder."""
        return selection.gain(self.held_out[self.chosen], self.ladders_held_out[self.rungs])

    @cached_property
    def distances(self) -> np.ndarray:
        """Distance of each state from the ladder, in standard deviations of an item."""
        return selection.profile_distances(
            self.model.item_probs_, self.ladders[self.rungs], self.data.item_sd
        )

    @cached_property
    def people_in_state(self) -> np.ndarray:
        """Expected number of people who were ever in each state, from below."""
        starts = np.concatenate([[0], np.cumsum(self.data.sequences.lengths)[:-1]])
        return np.maximum.reduceat(self.posterior, starts, axis=0).sum(axis=0)

    @cached_property
    def state_share(self) -> np.ndarray:
        """Share of sessions spent in each state."""
        return self.posterior.mean(axis=0)

    @cached_property
    def verdict(self) -> str:
        """Kind or severity; two states always lie near one line, so they are not asked."""
        if self.chosen < 3:
            return "not applicable"
        return selection.verdict(self.gain, self.distance)

    @cached_property
    def departures(self) -> np.ndarray:
        """Expected number of moves from each state, staying included."""
        last = np.cumsum(self.data.sequences.lengths) - 1
        leaving = np.ones(len(self.posterior), dtype=bool)
        leaving[last] = False
        return self.posterior[leaving].sum(axis=0)

    @cached_property
    def distance(self) -> float:
        """Distance from the ladder over all sessions, in standard deviations of an item."""
        return selection.overall_distance(self.distances, self.state_share)

    @cached_property
    def posterior(self) -> np.ndarray:
        """Probability of each state at each session: (sessions, states)."""
        sequences = self.data.sequences
        return self.model.predict_proba(sequences.items, sequences.lengths)

    def interval(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """95 % percentile interval of a bootstrapped statistic."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a session in no replicate at all
            low, high = np.nanquantile(self.draws[name], [0.025, 0.975], axis=0)
        return low, high

    def true_states(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Most likely state and true state of every session, where the truth is known."""
        truth = self.data.cohort.truth
        if not truth:
            return None
        sequences = self.data.sequences
        seen = sequences.rows >= 0
        path = self.model.predict(sequences.items, sequences.lengths)
        return path[seen], truth["states"][sequences.rows[seen]]

    def oracle_path(self) -> np.ndarray:
        """Most likely states under the true parameters: the best any model could do."""
        truth, sequences = self.data.cohort.truth, self.data.sequences
        init = {k: truth[k] for k in ("initial_probs", "transition_matrix", "item_probs")}
        oracle = LatentMarkov(
            len(truth["initial_probs"]),
            n_categories=PHQ9.n_categories,
            init=init,
            max_iter=1,
            tol=0,
        ).fit(sequences.items, sequences.lengths)
        return oracle.predict(sequences.items, sequences.lengths)[sequences.rows >= 0]


@dataclass(frozen=True)
class Statistics:
    """What the bootstrap follows, states in the order of the model shown."""

    data: Data
    ladder: SeverityLadder

    def __call__(self, model: LatentMarkov, order: np.ndarray, sample: Sample) -> dict:
        """Statistics of `model`, which was fitted to the people of `sample`."""
        sequences = self.data.sequences
        people = np.repeat(np.arange(self.data.n_people), sample.weights)
        rows = selection.rows_of(people, sequences.lengths)
        posterior = model.predict_proba(sequences.items[rows], sequences.lengths[people])
        posterior = posterior[:, order]
        scores = item_scores(model.item_probs_)[order]
        distances = selection.profile_distances(
            model.item_probs_[order], self.ladder, self.data.item_sd
        )
        return {
            "share": model.initial_probs_[order],
            "transition": model.transition_matrix_[np.ix_(order, order)],
            "score": scores,
            "total": scores.sum(axis=1),
            "state_share": self.data.by_session(posterior, rows),
            "distance": selection.overall_distance(distances, posterior.mean(axis=0)),
        }


def grid(**axes) -> pl.DataFrame:
    """Every combination of the keys, the last one running fastest."""
    frame = pl.DataFrame({"": [0]})
    for name, values in axes.items():
        frame = frame.join(pl.DataFrame({name: list(values)}), how="cross", maintain_order="left")
    return frame.drop("")

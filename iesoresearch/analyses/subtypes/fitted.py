"""What `subtypes` computes once and its tables and sentences read."""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.people import Characteristics, shares, starting_states
from iesoresearch.analyses.subtypes.variants import Variant
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, grouping, selection
from iesoresearch.models.bootstrap import Bootstrap, Sample
from iesoresearch.models.likelihood_ratio import LikelihoodRatio
from iesoresearch.models.residuals import BivariateResiduals
from iesoresearch.models.severity import Severity
from iesoresearch.models.stability import Agreement, SplitHalf

ITEM_NAMES = tuple(item.name for item in PHQ9.items)
PROFILE = len(ITEM_NAMES) * (PHQ9.n_categories - 1)  # parameters of a state: its answers


def item_scores(item_probs: np.ndarray) -> np.ndarray:
    """Expected item scores: (states, items)."""
    return item_probs @ np.arange(item_probs.shape[2])


@dataclass(frozen=True)
class Quality:
    """What was asked of the model shown: resamples, halves of the people, other methods, residuals.

    `test` is None where it was not asked for, or where there is no smaller model.
    """

    replicates: Bootstrap
    halves: SplitHalf
    methods: Agreement
    residuals: BivariateResiduals
    test: LikelihoodRatio | None


@dataclass(frozen=True)
class Fitted:
    """Models of every number of states, and the model shown in detail.

    `held_out` holds the log-likelihood of every person under models fitted without her; `severity`
    the question of kind or severity, in which pairs of items may depend on one another; `quality`
    and `variants` what was asked of the model shown.
    """

    data: Data
    people: Characteristics
    models: dict[int, LatentMarkov]
    held_out: dict[int, np.ndarray]
    severity: Severity
    chosen: int
    by_hand: bool  # whether `chosen` was asked for
    quality: Quality | None = None
    variants: tuple[Variant, ...] = ()

    @property
    def model(self) -> LatentMarkov:
        """The model shown in detail."""
        return self.models[self.chosen]

    @cached_property
    def deviations(self) -> np.ndarray:
        """How each state's profile differs from the ladder's, in SD of an item: (states, items)."""
        return selection.departures(self.model.item_probs_, self.severity.ladder, self.data.item_sd)

    @cached_property
    def moves_within(self) -> grouping.MovesWithin:
        """Share of moves within a subtype, beside what independence would give."""
        moves = self.departures[:, None] * self.model.transition_matrix_
        return grouping.moves_within(moves, grouping.group_states(self.deviations))

    @cached_property
    def people_in_state(self) -> np.ndarray:
        """Expected number of people who were ever in each state, from below."""
        starts = np.concatenate([[0], np.cumsum(self.data.sequences.lengths)[:-1]])
        return np.maximum.reduceat(self.posterior, starts, axis=0).sum(axis=0)

    @cached_property
    def state_share(self) -> np.ndarray:
        """Share of sessions spent in each state."""
        by_row = np.repeat(self.data.counting, self.data.sequences.lengths)
        return by_row @ self.posterior / by_row.sum()

    @cached_property
    def starting(self) -> np.ndarray:
        """Probability of each state at the start, from the first session: (people, states)."""
        return starting_states(self.model, self.data)

    @cached_property
    def verdict(self) -> str:
        """Kind or severity; two states always lie near one line, so they are not asked."""
        if self.chosen < 3:
            return "not applicable"
        return self.severity.verdict

    @cached_property
    def departures(self) -> np.ndarray:
        """Expected number of moves from each state, staying included."""
        last = np.cumsum(self.data.sequences.lengths) - 1
        leaving = np.ones(len(self.posterior), dtype=bool)
        leaving[last] = False
        return self.posterior[leaving].sum(axis=0)

    @cached_property
    def posterior(self) -> np.ndarray:
        """Probability of each state at each session: (sessions, states)."""
        sequences = self.data.sequences
        return self.model.predict_proba(sequences.items, sequences.lengths)

    def interval(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """95 % percentile interval of a bootstrapped statistic.

        Weibull's plotting positions: with numpy's default 100 replicates give one of 93 %.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a session in no replicate at all
            low, high = np.nanquantile(
                self.quality.replicates.statistics[name], [0.025, 0.975], axis=0, method="weibull"
            )
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
    people: Characteristics
    severity: Severity

    def __call__(self, model: LatentMarkov, order: np.ndarray, sample: Sample) -> dict:
        """Statistics of `model`, which was fitted to the people of `sample`."""
        sequences, weights = self.data.sequences, sample.weights
        posterior = model.predict_proba(sequences.items, sequences.lengths)[:, order]
        starting = starting_states(model, self.data)[:, order]
        scores = item_scores(model.item_probs_)[order]
        deviations = selection.departures(
            model.item_probs_[order], self.severity.ladder, self.data.item_sd
        )
        return {
            "share": model.initial_probs_[order],
            "transition": model.transition_matrix_[np.ix_(order, order)],
            "score": scores,
            "total": scores.sum(axis=1),
            "state_share": self.data.by_session(posterior, weights),
            "deviation": deviations,
            "people": shares(starting, self.people.values, weights)[0],
        }

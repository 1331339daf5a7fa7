"""What `subtypes_transfer` computes once and its tables and sentences read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes_transfer.samples import Data
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import wilson
from iesoresearch.models import LatentMarkov, SeverityLadder, selection, transfer
from iesoresearch.models.bootstrap import Sample
from iesoresearch.models.selection import _without_zeros

CERTAIN = 0.8  # probability from which a person counts as assigned
#: Nats per person against a refit up to which carried-over states hold. The project's own: the
#: parameters of four states fitted to 2,500 people cost about half as much.
LOSS_TOLERATED = 0.05
AS_GOOD = 0.001  # nats per person within which ladders count as equally good
LEVELS = np.full(len(PHQ9.columns), PHQ9.n_categories)


@dataclass(frozen=True)
class Carried:
    """A model as it is carried over: no answer is impossible.

    Half an answer stands for every probability of zero, as in held-out likelihoods.
    """

    item_probs: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, model: LatentMarkov, order: np.ndarray | None = None) -> "Carried":
        """Of a fitted model, its states in `order`."""
        order = np.arange(model.n_states) if order is None else order
        return cls(_without_zeros(model, LEVELS)[order], model.initial_probs_[order])

    def score(self, items: np.ndarray) -> np.ndarray:
        """Log-likelihood of each person, in nats."""
        return transfer.score(transfer.log_answers(self.item_probs, items), self.shares)

    @property
    def item_scores(self) -> np.ndarray:
        """Expected item scores: (states, items)."""
        return self.item_probs @ np.arange(self.item_probs.shape[2])


def statistics(model: LatentMarkov, order: np.ndarray, sample: Sample) -> dict:
    """What the bootstrap of either sample follows, states in the order of the model shown."""
    found = Carried.of(model, order)
    return {"item_probs": found.item_probs, "share": found.shares, "weights": sample.weights}


@dataclass(frozen=True)
class Fitted:
    """Models of the fitted sample, the refit in the new one, and bootstraps of both.

    `refit_held_out` is the log-likelihood of every new person under a refit without her;
    `draws` and `new_draws` are what `statistics` gave, the latter in the refit's order of states.
    """

    data: Data
    models: dict[int, LatentMarkov]
    chosen: int
    by_hand: bool
    ladders: dict[int, SeverityLadder]
    refit: LatentMarkov
    refit_held_out: np.ndarray
    draws: dict[str, np.ndarray]
    new_draws: dict[str, np.ndarray]

    @property
    def model(self) -> LatentMarkov:
        """The model that is carried over."""
        return self.models[self.chosen]

    @cached_property
    def carried(self) -> Carried:
        """The model that is carried over, ready to meet new answers."""
        return Carried.of(self.model)

    @cached_property
    def order(self) -> np.ndarray:
        """States of the refit that belong to those carried over, by optimal assignment."""
        return selection.match_states(self.model.item_probs_, self.refit.item_probs_)

    @cached_property
    def refitted(self) -> Carried:
        """The refit, its states in the order of those carried over."""
        return Carried.of(self.refit, self.order)

    @cached_property
    def new_scores(self) -> np.ndarray:
        """Log-likelihood of every new person under the model carried over."""
        return self.carried.score(self.data.new_items)

    @cached_property
    def rungs(self) -> int:
        """Of the shortest ladder that predicts the new sample as well as any: a strict null."""
        means = {rungs: scores.mean() for rungs, scores in self.ladder_scores.items()}
        return min(rungs for rungs in means if means[rungs] > max(means.values()) - AS_GOOD)

    @cached_property
    def ladder_scores(self) -> dict[int, np.ndarray]:
        """Log-likelihood of every new person under each ladder of the fitted sample."""
        return {r: Carried.of(x).score(self.data.new_items) for r, x in self.ladders.items()}

    @cached_property
    def loss(self) -> selection.Gain:
        """What the model carried over loses against the refit."""
        return selection.gain(self.refit_held_out, self.new_scores)

    @cached_property
    def lead(self) -> selection.Gain:
        """What it gains over the ladder of the fitted sample."""
        return selection.gain(self.new_scores, self.ladder_scores[self.rungs])

    @cached_property
    def new_shares(self) -> np.ndarray:
        """Class shares in the new sample, profiles as carried over."""
        log_prob = transfer.log_answers(self.carried.item_probs, self.data.new_items)
        return transfer.new_shares(log_prob, self.carried.shares)

    @cached_property
    def replicates(self) -> dict[str, np.ndarray]:
        """Bootstrap of what needs both samples, stacked over replicates."""
        rows = [self._replicate(b) for b in range(len(self.draws["share"]))]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def _replicate(self, b: int) -> dict[str, np.ndarray]:
        old = Carried(self.draws["item_probs"][b], self.draws["share"][b])
        new = Carried(
            self.new_draws["item_probs"][b][self.order], self.new_draws["share"][b][self.order]
        )
        weights = self.new_draws["weights"][b]
        log_prob = transfer.log_answers(old.item_probs, self.data.new_items)
        shares = transfer.new_shares(log_prob, old.shares, weights)
        sd = self.data.item_sd
        noise = [
            transfer.state_distances(drawn.item_probs, fitted.item_probs, sd) ** 2
            for drawn, fitted in ((old, self.carried), (new, self.refitted))
        ]
        return {
            "fit_share": old.shares,
            "new_share": shares,
            "refit_share": new.shares,
            "moved": shares - old.shares,
            "fit_score": old.item_scores,
            "refit_score": new.item_scores,
            "squared": transfer.state_distances(old.item_probs, new.item_probs, sd) ** 2,
            "noise": noise[0] + noise[1],
        }

    @cached_property
    def uncertain(self) -> pl.DataFrame:
        """People whose most likely state has a probability below `CERTAIN`, by sample.

        The interval (Wilson) is about people; the states are taken as they are.
        """
        data = self.data
        counts = []
        for items in (data.fit_items, data.new_items):
            log_prob = transfer.log_answers(self.carried.item_probs, items)
            highest = transfer.assign(log_prob, self.carried.shares).max(axis=1)
            counts.append((int((highest < CERTAIN).sum()), len(items)))
        frame = pl.DataFrame(counts, schema=["uncertain", "n"], orient="row")
        return frame.select("n", **wilson(pl.col("uncertain"), pl.col("n")))

    def interval(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """95 % percentile interval of a bootstrapped statistic."""
        low, high = np.quantile(self.replicates[name], [0.025, 0.975], axis=0)
        return low, high

    @cached_property
    def distances(self) -> "Distances":
        """How far the matched profiles lie apart, state by state and (last) over all."""
        squared = (
            transfer.state_distances(
                self.carried.item_probs, self.refitted.item_probs, self.data.item_sd
            )
            ** 2
        )
        found = self.replicates

        def with_all(values: np.ndarray) -> np.ndarray:
            mean = values @ self.new_shares
            return np.concatenate([values, np.expand_dims(mean, -1)], axis=-1)

        noise = with_all(found["noise"]).mean(axis=0)
        return Distances.of(with_all(squared), noise, with_all(found["squared"]))

    @cached_property
    def verdict(self) -> str:
        """Whether the states hold: "passed", "failed" or "inconclusive"."""
        low, high = self.distances.low[-1], self.distances.high[-1]
        if self.loss.low > LOSS_TOLERATED or low >= selection.DISTANCE_IN_KIND:
            return "failed"
        if self.loss.high <= LOSS_TOLERATED and high < selection.DISTANCE_IN_KIND:
            return "passed"
        return "inconclusive"


@dataclass(frozen=True)
class Distances:
    """Distances of profiles in standard deviations of an item: (states + 1,) arrays, last over all.

    A distance is never negative, so two samples of one population lie apart by chance. Its square
    exceeds the true one by the sampling variances of both profiles, about `chance` squared, as the
    bootstrap tells; a replicate's by twice that. `beyond` and its interval are without it.
    """

    raw: np.ndarray
    chance: np.ndarray
    beyond: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, squared: np.ndarray, noise: np.ndarray, replicates: np.ndarray) -> "Distances":
        """From squared distances, their expectation by chance, and those of the replicates."""
        low, high = np.quantile(replicates - 2 * noise, [0.025, 0.975], axis=0)
        beyond, low, high = (np.sqrt(np.maximum(x, 0.0)) for x in (squared - noise, low, high))
        return cls(np.sqrt(squared), np.sqrt(noise), beyond, low, high)

"""What if patients were worse after they left than the model says: delta-adjusted differences.

`models.growth.mean_curve` compares whole groups, with all in which they differ. Here the difference
between the arms is the adjusted one, so what `delta` adds to it is drawn here: `delta` times the
share of an arm that had left, with a Beta posterior, which is what the Bayesian bootstrap of a
yes-or-no comes to (Rubin 1981, Annals of Statistics 9:130-134).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from iesoresearch.data.trials import Trial
from iesoresearch.models.growth import Estimate
from iesoresearch.seeds import rng

BOTH, TREATED = "both arms", "{treated} only"


@dataclass(frozen=True)
class Leavers:
    """Draws of the difference at the last occasion, and of the shares that had left by then.

    Attributes
    ----------
    effect
        (draws,) adjusted difference if scores are missing at random.
    shares
        (2, draws) of control and treated.
    """

    effect: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, trial: Trial, effect: np.ndarray, seed: int) -> "Leavers":
        """With as many draws of the shares as of the effect."""
        shares = []
        for arm in (0, 1):
            left = int(trial.left[trial.arm == arm].sum())
            stayed = int((trial.arm == arm).sum()) - left
            found = np.full(len(effect), float(left > 0))  # nobody, or everybody
            if left and stayed:
                found = rng(seed, "left", arm).beta(left, stayed, size=len(effect))
            shares.append(found)
        return cls(effect, np.stack(shares))

    def draws(self, delta: float, whom: str) -> np.ndarray:
        """Difference if those of `whom` (`BOTH` or `TREATED`) were `delta` worse after leaving."""
        share = self.shares[1] - (self.shares[0] if whom == BOTH else 0.0)
        return self.effect + delta * share

    def estimate(self, delta: float, whom: str) -> Estimate:
        """Mean and 95 % interval of `draws`."""
        return Estimate.of(self.draws(delta, whom))

    def tipping(self, whom: str, largest: float) -> float | None:
        """Least delta up to `largest` at which zero enters, or leaves, the 95 % interval."""
        steps = np.linspace(0.0, largest, 101)
        outside = np.array([self._clear(delta, whom) for delta in steps])
        changed = np.flatnonzero((outside > 0) != (outside[0] > 0))
        if not changed.size:
            return None
        first = int(changed[0])
        return float(brentq(self._clear, steps[first - 1], steps[first], args=(whom,)))

    def _clear(self, delta: float, whom: str) -> float:
        """How far zero is outside the interval; negative inside."""
        found = self.estimate(delta, whom)
        return max(found.x_low, -found.x_high)

"""Parameters of the mixture of growth curves, and where EM starts from."""

from dataclasses import dataclass

import numpy as np

SURE = 0.9  # probability of the class that a start puts a patient in


@dataclass(frozen=True)
class Parameters:
    """In the orthonormal basis.

    Attributes
    ----------
    shares, beta
        (classes,) and (classes, p).
    between, within
        (q, q) covariance of random effects; residual variance.
    """

    shares: np.ndarray
    beta: np.ndarray
    between: np.ndarray
    within: float

    @classmethod
    def at_start(cls, products: np.ndarray, q: int, variance: float) -> "Parameters":
        """One curve by least squares, the remaining variance halved between and within."""
        total = products.sum(axis=0)
        p = len(total) - 1
        beta = np.linalg.solve(total[:p, :p], total[:p, p])
        left = max((total[p, p] - beta @ total[:p, p]) / total[0, 0], 1e-6 * variance)
        return cls(np.ones(1), beta[None], np.eye(q) * left / (2 * q), left / 2)


def starting_weights(
    products: np.ndarray, begin: Parameters, k: int, random: np.random.Generator
) -> np.ndarray:
    """(patients, k) probabilities: patients by the nearest of k patients drawn far apart.

    Distances are between ridge estimates of the patients' own curves; centres are drawn as by
    k-means++ (Arthur & Vassilvitskii 2007, Proceedings of the ACM-SIAM Symposium on Discrete
    Algorithms: 1027-1035).
    """
    n, p = len(products), products.shape[1] - 1
    if k == 1:
        return np.ones((n, 1))
    gram = products[:, :p, :p]
    right = products[:, :p, p] - gram @ begin.beta[0]
    own = np.linalg.solve(gram + np.eye(p), right[:, :, None])[:, :, 0]
    distance = np.empty((n, k))
    nearest = np.ones(n)
    for c in range(k):
        centre = own[random.choice(n, p=nearest / nearest.sum())]
        distance[:, c] = ((own - centre) ** 2).sum(axis=1)
        nearest = distance[:, : c + 1].min(axis=1)
        if not nearest.sum() > 0:  # all patients alike
            nearest = np.ones(n)
    weights = np.full((n, k), (1 - SURE) / (k - 1))
    weights[np.arange(n), distance.argmin(axis=1)] = SURE
    return weights

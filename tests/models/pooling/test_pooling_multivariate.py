"""Pooling vectors by hand, as one regression, and what is refused."""

import numpy as np
import pytest

from iesoresearch.errors import DataError
from iesoresearch.models.pooling.multivariate import Coefficients, inverse_variance


def site(values, covariance, names=("a", "b")):
    return Coefficients(names, np.array(values, dtype=float), np.array(covariance, dtype=float))


def test_two_sites_by_hand():
    """Precisions diag(1, 4) and diag(3, 4): weights 1/4 and 3/4 of a, a half each of b."""
    one, other = site([1, 0], [[1, 0], [0, 0.25]]), site([2, 4], [[1 / 3, 0], [0, 0.25]])
    found = inverse_variance([one, other])
    np.testing.assert_allclose(found.values, [1.75, 2])
    np.testing.assert_allclose(found.covariance, [[1 / 4, 0], [0, 1 / 8]], atol=1e-15)
    assert found.q == pytest.approx(0.75**2 + 4 * 4 + 3 * 0.25**2 + 4 * 4)
    assert found.q_df == 2


def test_linear_regressions_pooled_are_the_joint_one():
    """For normal errors of known variance it is exact: generalised least squares by numpy."""
    random = np.random.default_rng(1)
    x = [random.normal(size=(n, 2)) for n in (40, 70)]
    y = [rows @ [1.0, -2.0] + random.normal(size=len(rows)) for rows in x]
    sites = [
        site(np.linalg.lstsq(a, b, rcond=None)[0], np.linalg.inv(a.T @ a))
        for a, b in zip(x, y, strict=True)
    ]
    joint = np.linalg.lstsq(np.vstack(x), np.concatenate(y), rcond=None)[0]
    np.testing.assert_allclose(inverse_variance(sites).values, joint, atol=1e-12)


def test_a_coefficient_that_a_site_lacks_is_of_the_others():
    both = site([1, 5], [[1, 0.5], [0.5, 1]])
    found = inverse_variance([both, site([3], [[1]], ("a",))])
    assert found.sites.tolist() == [2, 1]
    # what is learnt of a moves b by their covariance
    np.testing.assert_allclose(found.values, [2, 5.5])


def test_some_of_a_vector_are_marginal():
    found = site([1, 5], [[1, 0.5], [0.5, 2]]).among(["b"])
    assert (found.names, found.values.tolist()) == (("b",), [5.0])
    assert found.covariance.tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("values", "covariance", "words"),
    [
        ([1], [[1, 0], [0, 1]], "need 2 coefficients"),
        ([1, np.nan], [[1, 0], [0, 1]], "is no number"),
        ([1, 2], [[1, 0.5], [0.1, 1]], "not symmetric"),
        ([1, 2], [[1, 1], [1, 1]], "not positive definite"),
    ],
)
def test_damaged_regressions_are_refused(values, covariance, words):
    with pytest.raises(DataError, match=words):
        site(values, covariance)


def test_no_site_is_refused():
    with pytest.raises(DataError, match="no coefficients to pool"):
        inverse_variance([])

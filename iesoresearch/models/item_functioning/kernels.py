"""Loops of the graded response model: over rows of answers, items and points of the trait."""

import numba
import numpy as np


@numba.njit(cache=True)
def expected_counts(items, groups, weights, log_answers, log_prior):
    """One E-step.

    Parameters
    ----------
    items : (rows, items) int8
        Levels, -1 where missing.
    groups : (rows,) int
    weights : (rows,)
    log_answers : (groups, items, levels, points)
    log_prior : (groups, points)

    Returns
    -------
    log_likelihood : (rows,)
        Unweighted.
    answers : (groups, items, levels, points)
        Expected weighted number of answers.
    people : (groups, points)
        The same of people.
    """
    n_rows, n_items = items.shape
    n_points = log_prior.shape[1]
    answers, people = np.zeros(log_answers.shape), np.zeros(log_prior.shape)
    log_likelihood = np.empty(n_rows)
    posterior = np.empty(n_points)
    for r in range(n_rows):
        g = groups[r]
        log_likelihood[r] = posterior_of(items[r], log_answers[g], log_prior[g], posterior)
        w = weights[r]
        for q in range(n_points):
            posterior[q] *= w
            people[g, q] += posterior[q]
        for i in range(n_items):
            c = items[r, i]
            if c >= 0:
                for q in range(n_points):
                    answers[g, i, c, q] += posterior[q]
    return log_likelihood, answers, people


@numba.njit(cache=True)
def posterior_of(answers, log_answers, log_prior, posterior):
    """Fill `posterior` over the points given one row of answers; returns its log-likelihood."""
    n_points = len(posterior)
    for q in range(n_points):
        posterior[q] = log_prior[q]
    for i in range(len(answers)):
        c = answers[i]
        if c >= 0:
            for q in range(n_points):
                posterior[q] += log_answers[i, c, q]
    largest = posterior.max()
    total = 0.0
    for q in range(n_points):
        posterior[q] = np.exp(posterior[q] - largest)
        total += posterior[q]
    for q in range(n_points):
        posterior[q] /= total
    return largest + np.log(total)


@numba.njit(cache=True)
def expected_trait(items, groups, log_answers, log_prior, points):
    """Mean of the trait given each row of answers, the prior the same for everybody: (rows,)."""
    out, posterior = np.empty(len(items)), np.empty(len(points))
    for r in range(len(items)):
        posterior_of(items[r], log_answers[groups[r]], log_prior, posterior)
        out[r] = np.dot(posterior, points)
    return out


@numba.njit(cache=True)
def row_scores(items, groups, log_answers, lower, upper, log_prior, points):
    """Expected derivatives of the complete log-likelihood of each row.

    Fisher's identity: their posterior means are the derivatives of the log-likelihood.

    Parameters
    ----------
    lower, upper : (groups, items, levels, points)
        Derivatives of the log probability of a level by the logits at its ends.

    Returns
    -------
    thresholds : (rows, items, levels - 1)
    slopes : (rows, items, 2)
        By what is added to all logits of an item, and to its slope.
    trait : (rows, 2)
        Posterior mean of the trait and of its square.
    """
    n_rows, n_items = items.shape
    k = log_answers.shape[2] - 1
    thresholds, slopes = np.zeros((n_rows, n_items, k)), np.zeros((n_rows, n_items, 2))
    trait = np.zeros((n_rows, 2))
    posterior = np.empty(len(points))
    for r in range(n_rows):
        g = groups[r]
        posterior_of(items[r], log_answers[g], log_prior[g], posterior)
        for q in range(len(points)):
            trait[r, 0] += posterior[q] * points[q]
            trait[r, 1] += posterior[q] * points[q] ** 2
        for i in range(n_items):
            c = items[r, i]
            if c < 0:
                continue
            for q in range(len(points)):
                up, down = posterior[q] * lower[g, i, c, q], posterior[q] * upper[g, i, c, q]
                if c > 0:
                    thresholds[r, i, c - 1] += up
                if c < k:
                    thresholds[r, i, c] += down
                slopes[r, i, 0] += up + down
                slopes[r, i, 1] += (up + down) * points[q]
    return thresholds, slopes, trait


@numba.njit(cache=True)
def chance_of_total(answers, scores, cutoff):
    """Probability that the total reaches the cut-off, at each point.

    By the recursion of Lord and Wingersky (1984, doi:10.1177/014662168400800409), item by item.

    Parameters
    ----------
    answers : (items, levels, points)
        Probabilities.
    scores : (items, levels) int
        What each level counts.

    Returns
    -------
    (points,) array
    """
    n_items, n_levels, n_points = answers.shape
    highest = 0
    for i in range(n_items):
        highest += scores[i].max()
    out = np.empty(n_points)
    for q in range(n_points):
        chance = np.zeros(highest + 1)
        chance[0] = 1.0
        for i in range(n_items):
            further = np.zeros(highest + 1)
            for c in range(n_levels):
                p, s = answers[i, c, q], scores[i, c]
                if p > 0:
                    for t in range(highest + 1 - s):
                        further[t + s] += chance[t] * p
            chance = further
        out[q] = chance[cutoff:].sum() if cutoff <= highest else 0.0
    return out

"""The whole model for many draws and waits: one pass forward, one backward.

Whoever is not treated follows the natural course, on the list or off it. So what a member of the
cohort collects is the natural course from referral, plus, for those who go on after the first
session, what treatment adds from its end. The natural course is evaluated backward once per draw;
the people on the list are carried forward once; a wait only needs what treatment adds, carried back
from its end to the first session.
"""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def _back(recover, worsen, relapse, to, after, before):
    """Expected values before a week of natural course, from those after it; (bands, columns)."""
    n_bands, n = after.shape
    for c in range(n):
        before[0, c] = (1.0 - relapse) * after[0, c] + relapse * after[to, c]
    for b in range(1, n_bands):
        worse = min(b + 1, n_bands - 1)
        stay = 1.0 - recover[b] - worsen[b]
        for c in range(n):
            before[b, c] = (
                recover[b] * after[0, c] + worsen[b] * after[worse, c] + stay * after[b, c]
            )


@numba.njit(cache=True, nogil=True)
def _forth(recover, worsen, relapse, to, stays, people):
    """Carry (starts, bands) people one week on; the share `stays` is still on the list."""
    n_bands = people.shape[1]
    for s in range(people.shape[0]):
        recovered, better = 0.0, people[s, 0]
        for b in range(n_bands - 1, 0, -1):
            recovered += people[s, b] * recover[b]
            if b < n_bands - 1:
                people[s, b + 1] += people[s, b] * worsen[b]
            people[s, b] *= 1.0 - recover[b] - worsen[b]
        people[s, 0] = better * (1.0 - relapse) + recovered
        people[s, to] += better * relapse
        for b in range(n_bands):
            people[s, b] *= stays


@numba.njit(cache=True, nogil=True)
def _natural(interval, recover, worsen, relapse, to, values, powers, natural):
    """Fill (T + 1, bands, rewards) with what is still to be collected, counted by trapezoid."""
    horizon = len(interval)
    for t in range(horizon, -1, -1):
        if t < horizon:
            p = interval[t]
            _back(recover[p], worsen[p], relapse, to, natural[t + 1], natural[t])
        else:
            natural[t] = 0.0
        weight = powers[t] * (0.5 if t in (0, horizon) else 1.0)
        for b in range(values.shape[1]):
            for r in range(values.shape[0]):
                natural[t, b, r] += weight * values[r, b]


@numba.njit(cache=True, nogil=True)
def _gain(effect, natural, added):
    """(bands, rewards): what the effect adds to what is still to be collected."""
    n_bands, n_rewards = natural.shape
    for b in range(n_bands):
        for r in range(n_rewards):
            total = -natural[b, r]
            for to in range(n_bands):
                total += effect[b, to] * natural[to, r]
            added[b, r] = total


@numba.njit(cache=True, nogil=True)
def run(
    interval,
    recover,
    worsen,
    relapse,
    to,
    effect,
    values,
    first,
    rest,
    engaged,
    second_shares,
    second_weeks,
    treatment_weeks,
    dropout,
    factor,
    waits,
    out,
):
    """Fill (rewards + 3, draws, starting bands, waits): the rewards, therapy, treated, waited.

    Parameters are the fields of `assembling.Arrays`; `waits` rise strictly. "Therapy" is in £,
    discounted; "treated" the share that goes on after the first session; "waited" the mean weeks on
    the list. Nothing is counted that would happen at the horizon or later.
    """
    n_draws, n_rewards, n_bands = values.shape
    horizon, n_classes = len(interval), second_shares.shape[1]
    natural = np.empty((horizon + 1, n_bands, n_rewards))
    gains = np.empty((horizon + 1, n_bands, n_rewards))
    powers = np.empty(horizon + 1)
    people = np.empty((n_bands - 1, n_bands))
    ahead, carried = np.empty((n_bands, n_rewards + 1)), np.empty((n_bands, n_rewards + 1))
    for d in range(n_draws):
        for t in range(horizon + 1):
            powers[t] = factor[d] ** t
        args = recover[d], worsen[d], relapse[d]
        _natural(interval, args[0], args[1], args[2], to, values[d], powers, natural)
        for t in range(horizon + 1):
            _gain(effect[d], natural[t], gains[t])
        people[:] = 0.0
        for s in range(n_bands - 1):
            people[s, s + 1] = 1.0
        waited = np.zeros(n_bands - 1)
        at = 0
        for t in range(waits[-1] + 1):
            if t == waits[at]:
                ahead[:] = 0.0
                last = second_weeks[d].max() + treatment_weeks[d]
                for k in range(min(last, horizon - t), -1, -1):
                    if k < min(last, horizon - t):
                        p = interval[t + k]
                        _back(args[0][p], args[1][p], args[2], to, ahead, carried)
                        ahead, carried = carried, ahead
                    for g in range(n_classes):
                        if k == second_weeks[d, g] and t + k < horizon:
                            for b in range(n_bands):
                                paid = powers[t + k] * rest[d, b]
                                ahead[b, n_rewards] += second_shares[d, g] * paid
                        if k == second_weeks[d, g] + treatment_weeks[d]:
                            for b in range(n_bands):
                                for r in range(n_rewards):
                                    ahead[b, r] += second_shares[d, g] * gains[t + k, b, r]
                for s in range(n_bands - 1):
                    for r in range(n_rewards):
                        total = natural[0, s + 1, r]
                        for b in range(n_bands):
                            total += people[s, b] * engaged[d, b] * ahead[b, r]
                        out[r, d, s, at] = total
                    cost, treated = 0.0, 0.0
                    for b in range(n_bands):
                        goes_on = people[s, b] * engaged[d, b]
                        if t < horizon:
                            cost += people[s, b] * powers[t] * first[d, b]
                            treated += goes_on
                        cost += goes_on * ahead[b, n_rewards]
                    out[n_rewards, d, s, at] = cost
                    out[n_rewards + 1, d, s, at] = treated
                    out[n_rewards + 2, d, s, at] = waited[s]
                at += 1
            if t < horizon:
                for s in range(n_bands - 1):
                    waited[s] += people[s].sum()
                p = interval[t]
                _forth(args[0][p], args[1][p], args[2], to, 1.0 - dropout[d], people)

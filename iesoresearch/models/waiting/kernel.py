"""The whole model for many draws and waits: one pass backward, one forward.

Whoever is not treated follows the natural course, on the list or off it. So what a member of the
cohort collects is the natural course from referral, plus, for those who go on after the first
session, what treatment adds at its end. `_prepare` evaluates the natural course backward once, and
with it what treatment adds in every week; `_queue` carries the list forward once; `_course` carries
the people of all waits through second wait and treatment at the same time. Weeks lie along the last
axis of all arrays, so the innermost loops run over waits. Behind the horizon arrays go on with
zeros: nothing counts there.
"""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def _prepare(rates, relapse, to, effect, values, discounts, natural, gains):
    """Fill (bands, rewards) at referral: natural course, and (bands, rewards, T + 1) gains.

    Weeks count by the trapezoidal rule. `rates` are (bands, T) of `run`.
    """
    recover, worsen, stay = rates
    n_rewards, n_bands = values.shape
    horizon = len(discounts) - 1
    after = np.zeros((n_bands, n_rewards))
    for t in range(horizon, -1, -1):
        weight = discounts[t] * (0.5 if t in (0, horizon) else 1.0)
        for r in range(n_rewards):
            if t < horizon:
                well, above = after[0, r], after[n_bands - 1, r]
                after[0, r] = (1.0 - relapse) * well + relapse * after[to, r]
                for b in range(n_bands - 1, 0, -1):
                    here = after[b, r]
                    after[b, r] = recover[b, t] * well + worsen[b, t] * above + stay[b, t] * here
                    above = here
            for b in range(n_bands):
                after[b, r] += weight * values[r, b]
            for b in range(n_bands):
                gain = -after[b, r]
                for moved in range(n_bands):
                    gain += effect[b, moved] * after[moved, r]
                gains[b, r, t] = gain
    natural[:] = after


@numba.njit(cache=True, nogil=True)
def _queue(rates, relapse, to, stays, start, waiting):
    """Fill (bands, waits) with the people still on the list; all begin in band `start`."""
    recover, worsen, stay = rates
    n_bands, n = waiting.shape
    waiting[:] = 0.0
    waiting[start, 0] = 1.0
    for t in range(n - 1):
        recovered, well = 0.0, waiting[0, t]
        for b in range(1, n_bands):
            recovered += waiting[b, t] * recover[b, t]
            worse = waiting[b - 1, t] * worsen[b - 1, t]
            waiting[b, t + 1] = stays * (waiting[b, t] * stay[b, t] + worse)
        waiting[0, t + 1] = stays * (well * (1.0 - relapse) + recovered)
        waiting[to, t + 1] += stays * well * relapse


@numba.njit(cache=True, nogil=True)
def _step(rates, relapse, to, week, people, recovered):
    """Carry (bands, waits) people one week on, `week` weeks after the first session of each."""
    recover, worsen, stay = rates
    n_bands, n = people.shape
    recovered[:] = 0.0
    # One-dimensional slices: with them the compiler knows that no index is negative.
    for b in range(n_bands - 1, 0, -1):
        here, better = people[b], people[b - 1]
        recovers, stays = recover[b, week : week + n], stay[b, week : week + n]
        worsens = worsen[b - 1, week : week + n]
        for t in range(n):
            recovered[t] += here[t] * recovers[t]
            here[t] = here[t] * stays[t] + better[t] * worsens[t]
    well, relapsed = people[0], people[to]
    for t in range(n):
        relapsed[t] += well[t] * relapse
        well[t] = well[t] * (1.0 - relapse) + recovered[t]


@numba.njit(cache=True, nogil=True)
def _add(times, people, worth, total):
    for t in range(len(total)):
        total[t] += times * people[t] * worth[t]


@numba.njit(cache=True, nogil=True)
def _course(
    rates, relapse, to, comes, seconds, treatment, rest, discounts, inside, gains, people, out
):  # fmt: skip
    """Add gains, cost of the rest of the course and people with one to `out`, people moving on.

    `people` are (bands, waits) who go on after the first session; they are carried to the last end
    of treatment, those who leave before the second session with the others, for they follow the
    same natural course. `comes` is the share of them with a second session, by class of its wait.
    """
    n_bands, n = people.shape
    n_rewards = gains.shape[1]
    recovered = np.empty(n)
    last = seconds.max() + treatment
    for week in range(last + 1):
        for g in range(len(comes)):
            for b in range(n_bands):
                if week == seconds[g]:
                    _add(comes[g] * rest[b], people[b], discounts[week : week + n], out[n_rewards])
                    _add(comes[g], people[b], inside[week : week + n], out[n_rewards + 1])
                if week == seconds[g] + treatment:
                    for r in range(n_rewards):
                        _add(comes[g], people[b], gains[b, r, week : week + n], out[r])
        if week < last:
            _step(rates, relapse, to, week, people, recovered)


@numba.njit(cache=True, nogil=True)
def _along_weeks(interval, recover, worsen, rates):
    """Fill three (bands, weeks) arrays: recovery, worsening, staying; zero behind the horizon."""
    for b in range(recover.shape[1]):
        for t in range(len(interval)):
            rates[0][b, t] = recover[interval[t], b]
            rates[1][b, t] = worsen[interval[t], b]
            rates[2][b, t] = 1.0 - rates[0][b, t] - rates[1][b, t]


@numba.njit(cache=True, nogil=True)
def run(
    interval,
    recover,
    worsen,
    relapse,
    relapse_to,
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
    longest,
    out,
):
    """Fill (draws, starting bands, rewards + 3, waits): rewards, therapy, treated, waited.

    Parameters are the fields of `assembling.Arrays`; waits are 0 … `longest`. "Therapy" is in £,
    discounted; "treated" the share that comes to the second session; "waited" the mean weeks on
    the list for the first. Nothing is counted that would happen at the horizon or later, but QALYs
    and costs of being in a state at the horizon itself.
    """
    n_draws, n_rewards, n_bands = values.shape
    horizon, n = len(interval), longest + 1
    padded = max(horizon + 1, n) + second_weeks.max() + treatment_weeks.max() + 1
    rates = (np.zeros((n_bands, padded)), np.zeros((n_bands, padded)), np.zeros((n_bands, padded)))
    gains = np.zeros((n_bands, n_rewards, padded))
    natural = np.empty((n_bands, n_rewards))
    people = np.empty((n_bands, n))
    discounts, paid = np.empty(horizon + 1), np.zeros(padded)
    inside = np.zeros(padded)
    inside[:horizon] = 1.0
    out[:] = 0.0
    for d in range(n_draws):
        _along_weeks(interval, recover[d], worsen[d], rates)
        for t in range(horizon + 1):
            discounts[t] = factor[d] ** t
        paid[:horizon] = discounts[:horizon]
        comes = second_shares[d] * (1.0 - dropout[d]) ** second_weeks[d]
        for s in range(n_bands - 1):
            to = relapse_to[s]
            if s == 0 or to != relapse_to[s - 1]:
                _prepare(rates, relapse[d], to, effect[d], values[d], discounts, natural, gains)
            here = out[d, s]
            _queue(rates, relapse[d], to, 1.0 - dropout[d], s + 1, people)
            for t in range(1, n):
                listed = people[:, t - 1].sum() if t <= horizon else 0.0
                here[n_rewards + 2, t] = here[n_rewards + 2, t - 1] + listed
            for t in range(n):
                for b in range(n_bands):
                    here[n_rewards, t] += people[b, t] * first[d, b] * paid[t]
                    people[b, t] *= engaged[d, b]
                for r in range(n_rewards):
                    here[r, t] = natural[s + 1, r]
            _course(
                rates, relapse[d], to, comes, second_weeks[d], treatment_weeks[d],
                rest[d], paid, inside, gains, people, here,
            )  # fmt: skip

"""Seconds per EM iteration of the latent Markov model, beside other libraries in one run.

    python benchmarks/latent_markov.py [--patients N ...] [--repetitions R]

Simulated data: 7 states, 9 four-level items, 2 to 20 sessions a patient, nothing missing (the
peers have no missing answers). First all must give the same log-likelihood for the same
parameters, before and after one iteration; only then are they timed. What counts is the fastest
of the repetitions: whatever else the machine does can only make one slower.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from iesoresearch.models import LatentMarkov
from iesoresearch.simulate import draw_answers, draw_paths

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
STATES, ITEMS, LEVELS = 7, 9, 4
AGREEMENT = 1e-10  # relative, of log-likelihoods
SECONDS = 0.3  # about what one measurement takes; the shorter, the likelier an undisturbed one
LONGEST = 30.0  # seconds of measurements after which a contender is not repeated again
PEERS_UP_TO = 100_000  # patients: beyond, dynamax wants several GB and hmmlearn minutes


@dataclass(frozen=True)
class Data:
    """Answers (sessions, items), sessions per patient, and the start values of every fit."""

    items: np.ndarray
    lengths: np.ndarray
    start: dict[str, np.ndarray]


@dataclass
class Contender:
    """`iterate(n)` runs n EM iterations and returns the log-likelihood the last one began with."""

    name: str
    threads: int
    iterate: Callable[[int], float] | None
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    first_call: float = 0.0
    iterations: int = 2


def simulate(n_patients: int, seed: int = 7) -> Data:
    """Patients who leave after any session with probability 0.191, after 20 at the latest."""
    random = np.random.default_rng(seed)
    lengths = np.minimum(1 + random.geometric(0.191, n_patients), 20)
    truth = random_parameters(random, stay=0.7)
    states = draw_paths(truth["initial_probs"], truth["transition_matrix"], lengths, random)
    items = draw_answers(states, truth["item_probs"], random)
    return Data(items, lengths, random_parameters(random, stay=0.5))


def random_parameters(random: np.random.Generator, stay: float) -> dict[str, np.ndarray]:
    moves = random.dirichlet([1.0] * STATES, STATES)
    return {
        "initial_probs": random.dirichlet([3.0] * STATES),
        "transition_matrix": stay * np.eye(STATES) + (1 - stay) * moves,
        "item_probs": random.dirichlet([1.5] * LEVELS, (STATES, ITEMS)),
    }


def forward_log_likelihood(data: Data) -> float:
    """Scaled forward pass in plain numpy, everybody's t-th session at a time."""
    total = 0.0
    firsts = np.cumsum(data.lengths) - data.lengths
    ahead = np.tile(data.start["initial_probs"], (len(firsts), 1))
    for t in range(data.lengths.max()):
        there = data.lengths > t
        for item in range(ITEMS):
            answers = data.items[firsts[there] + t, item]
            ahead[there] *= data.start["item_probs"][:, item].T[answers]
        scale = ahead[there].sum(axis=1, keepdims=True)
        total += np.log(scale).sum()
        ahead[there] = ahead[there] / scale @ data.start["transition_matrix"]
    return float(total)


# ---- contenders


def ours(data: Data, n_jobs: int) -> Contender:
    def iterate(n):
        # max_iter counts E-steps
        model = LatentMarkov(
            STATES, n_categories=LEVELS, init=data.start, max_iter=n, tol=0, n_jobs=n_jobs
        )
        return model.fit(data.items, data.lengths).log_likelihood_

    return Contender("iesoresearch", n_jobs, iterate)


def dynamax(data: Data) -> Contender:
    """Its `CategoricalHMM` takes vectors of answers, but sequences of one length only.

    Patients are grouped by length: nothing is padded, so every step is the exact one, and padding
    everybody to 20 sessions would take four times as long. The whole step is compiled; flat
    priors, double precision.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    from dynamax.hidden_markov_model import CategoricalHMM

    model = CategoricalHMM(
        STATES, ITEMS, LEVELS,
        initial_probs_concentration=1.0,
        transition_matrix_concentration=1.0,
        emission_prior_concentration=1.0,
    )  # fmt: skip
    start, properties = model.initialize(
        initial_probs=data.start["initial_probs"],
        transition_matrix=data.start["transition_matrix"],
        emission_probs=data.start["item_probs"],
    )
    firsts = np.cumsum(data.lengths) - data.lengths
    batches = [
        jax.device_put(data.items[firsts[data.lengths == n][:, None] + np.arange(n)].astype("i4"))
        for n in np.unique(data.lengths)
    ]
    state = model.initialize_m_step_state(start, properties)

    @jax.jit
    def step(parameters, batches):
        parts = [jax.vmap(partial(model.e_step, parameters))(batch) for batch in batches]
        sums = [jax.tree.map(lambda x: x.sum(axis=0, keepdims=True), stats) for stats, _ in parts]
        stats = jax.tree.map(lambda *x: sum(x), *sums)
        parameters, _ = model.m_step(parameters, properties, stats, state)
        return parameters, sum(value.sum() for _, value in parts)

    def iterate(n):
        parameters = start
        for _ in range(n):
            parameters, value = step(parameters, batches)
        jax.block_until_ready(parameters)
        return float(value)

    return Contender("dynamax", os.cpu_count(), iterate, "grouped by length; threads of its own")


def hmmlearn(data: Data) -> Contender:
    """Its `CategoricalHMM` takes one column; this gives its base class a product of columns.

    Answers are one-hot, so that emissions and counts are matrix products.
    """
    from hmmlearn.base import BaseHMM

    class ManyCategoricals(BaseHMM):
        def _check_and_set_n_features(self, X):
            self.n_features = X.shape[1]

        def _get_n_fit_scalars_per_param(self):
            return dict.fromkeys(self.params, 1)  # only for a warning about too few data

        def _compute_likelihood(self, X):
            return np.exp(X @ self.log_item_probs_)

        def _initialize_sufficient_statistics(self):
            counts = np.zeros((ITEMS * LEVELS, STATES))
            return {**super()._initialize_sufficient_statistics(), "answers": counts}

        def _accumulate_sufficient_statistics(self, stats, X, lattice, posteriors, *passes):
            super()._accumulate_sufficient_statistics(stats, X, lattice, posteriors, *passes)
            stats["answers"] += X.T @ posteriors

        def _do_mstep(self, stats):
            super()._do_mstep(stats)
            counts = stats["answers"].reshape(ITEMS, LEVELS, STATES)
            probs = counts / counts.sum(axis=1, keepdims=True)
            self.log_item_probs_ = np.log(probs).reshape(-1, STATES)

    one_hot = (data.items[:, :, None] == np.arange(LEVELS)).reshape(len(data.items), -1)
    one_hot = one_hot.astype(float)

    def iterate(n):
        model = ManyCategoricals(
            STATES, n_iter=n, tol=-np.inf, init_params="", implementation="scaling"
        )
        model.startprob_ = data.start["initial_probs"]
        model.transmat_ = data.start["transition_matrix"]
        probs = np.moveaxis(data.start["item_probs"], 0, 2)
        model.log_item_probs_ = np.log(probs).reshape(-1, STATES)
        return model.fit(one_hot, data.lengths).monitor_.history[-1]

    return Contender("hmmlearn", 1, iterate, "subclass; a Python loop over patients")


def line_up(data: Data) -> list[Contender]:
    contenders = [ours(data, n_jobs) for n_jobs in (1, 2)]
    for peer in (dynamax, hmmlearn):
        if len(data.lengths) > PEERS_UP_TO:
            note = f"not run above {PEERS_UP_TO:,} patients"
            contenders.append(Contender(peer.__name__, 0, None, note))
            continue
        try:
            contenders.append(peer(data))
        except ImportError as error:
            contenders.append(Contender(peer.__name__, 0, None, f"not installed ({error.name})"))
    return contenders


# ---- measuring


def check(contenders: list[Contender], expected: float) -> None:
    """Refuse to time what does not compute the same, or does not take the same step."""
    second = None
    for contender in contenders:
        began = time.perf_counter()
        found = contender.iterate(1), contender.iterate(2)
        contender.first_call = time.perf_counter() - began
        second = found[1] if second is None else second
        for value, reference in zip(found, (expected, second), strict=True):
            if abs(value - reference) > AGREEMENT * abs(reference):
                raise SystemExit(
                    f"{contender.name} has log-likelihood {value!r} where {reference!r} was "
                    "expected: these programs do not do the same work, so nothing is timed."
                )


def seconds_of(contender: Contender, n: int) -> float:
    began = time.perf_counter()
    contender.iterate(n)
    return time.perf_counter() - began


def measure(contenders: list[Contender], repetitions: int) -> None:
    """In turn, so that whatever else the machine does falls on all of them."""
    for contender in contenders:
        one = max(seconds_of(contender, 2) - seconds_of(contender, 1), 1e-4)
        contender.iterations = int(np.clip(SECONDS / one, 12, 200))
    once = [np.inf] * len(contenders)
    for _ in range(repetitions):
        for i, contender in enumerate(contenders):
            if sum(contender.seconds) > LONGEST:
                continue
            once[i] = min(once[i], seconds_of(contender, 1))
            contender.seconds.append(seconds_of(contender, contender.iterations))
    for fastest, contender in zip(once, contenders, strict=True):
        # the difference leaves out set-up and what is done once after the last iteration
        n = contender.iterations
        contender.seconds = [(seconds - fastest) / (n - 1) for seconds in contender.seconds]


def report(data: Data, contenders: list[Contender], expected: float) -> dict:
    ran = [c for c in contenders if c.iterate]
    base = min(ran[0].seconds)
    rows = []
    for contender in contenders:
        row = {"name": contender.name, "threads": contender.threads, "note": contender.note}
        if contender.iterate:
            seconds = min(contender.seconds)
            row |= {
                "version": version(contender.name),
                "seconds_per_iteration": seconds,
                "median": statistics.median(contender.seconds),
                "slowest": max(contender.seconds),
                "ns_per_session": 1e9 * seconds / len(data.items),
                "ratio": seconds / base,
                "seconds_first_call": contender.first_call,
                "iterations": contender.iterations,
            }
        rows.append(row)
    return {
        "patients": len(data.lengths),
        "sessions": len(data.items),
        "states": STATES,
        "items": ITEMS,
        "levels": LEVELS,
        "log_likelihood_at_start": expected,
        "agreement": AGREEMENT,
        "repetitions": len(ran[0].seconds),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "results": rows,
    }


def table(result: dict) -> str:
    lines = [
        f"{result['patients']:,} patients, {result['sessions']:,} sessions, {STATES} states, "
        f"{ITEMS} items of {LEVELS} levels; fastest of up to {result['repetitions']} repetitions",
        f"log-likelihood {result['log_likelihood_at_start']:.4f}, equal to {AGREEMENT:g} relative "
        "in all, and again after one iteration",
        "",
        f"{'':14}{'threads':>8}{'s/iteration':>13}{'median':>10}{'slowest':>10}"
        f"{'ns/session':>12}{'ratio':>8}{'first call':>12}",
    ]
    for row in result["results"]:
        start = f"{row['name']:14}{row['threads'] or '-':>8}"
        if "ratio" in row:
            start += (
                f"{row['seconds_per_iteration']:13.5f}{row['median']:10.5f}{row['slowest']:10.5f}"
                f"{row['ns_per_session']:12.1f}{row['ratio']:8.1f}"
                f"{row['seconds_first_call']:10.1f} s"
            )
        lines.append(f"{start}  {row['note']}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repetitions", type=int, default=25)
    arguments = parser.parse_args()
    for n_patients in arguments.patients:
        compare(n_patients, arguments.repetitions)


def compare(n_patients: int, repetitions: int) -> None:
    data = simulate(n_patients)
    contenders = line_up(data)
    running = [c for c in contenders if c.iterate]
    expected = forward_log_likelihood(data)
    check(running, expected)
    measure(running, repetitions)
    result = report(data, contenders, expected)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"latent_markov_{n_patients}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}\n")


if __name__ == "__main__":
    main()

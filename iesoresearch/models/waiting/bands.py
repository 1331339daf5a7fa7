"""Severity bands, where scores lie within them, and what an effect does to them."""

import math

import numba
import numpy as np

from iesoresearch.measures.instruments import GAD7, PHQ9, Instrument

#: Measure of each condition.
INSTRUMENT: dict[str, Instrument] = {"depression": PHQ9, "anxiety": GAD7}
#: Names of the bands, from best to worst. People start in any but the first.
BANDS = {name: tuple(b.name for b in scale.bands) for name, scale in INSTRUMENT.items()}
_CASENESS = 2  # the first band that lies wholly above caseness, in both conditions


def relapse_to(condition: str) -> np.ndarray:
    """(starting bands,) index of the band to which people relapse from the first.

    The first that lies wholly above caseness (PHQ-9 or GAD-7 of 10 and more), where relapse is
    defined by that (Ali et al. 2017, doi:10.1016/j.brat.2017.04.006), but none worse than the band
    of referral: for people referred with mild symptoms relapse is a return to these.
    """
    starts = np.arange(1, len(BANDS[condition]))
    return np.minimum(starts, _CASENESS)


def key(band: str) -> str:
    """A band as it is spelt in names of inputs."""
    return band.replace(" ", "_")


def edges(condition: str) -> np.ndarray:
    """(bands + 1,) first score of every band, and one above the highest score."""
    bands = INSTRUMENT[condition].bands
    return np.array([*(b.low for b in bands), bands[-1].high + 1])


@numba.vectorize(["float64(float64)"], cache=True)
def below(z):
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@numba.njit(cache=True)
def score_shares(edge, mean, sd):
    """(scores,) share of each score among the people of its band.

    Scores follow a normal distribution cut off at the ends of the scale and taken in steps of 1.
    """
    shares = np.empty(edge[-1])
    for band in range(len(edge) - 1):
        total = 0.0
        for score in range(edge[band], edge[band + 1]):
            shares[score] = below((score + 0.5 - mean) / sd) - below((score - 0.5 - mean) / sd)
            total += shares[score]
        for score in range(edge[band], edge[band + 1]):
            shares[score] /= total
    return shares


@numba.njit(cache=True)
def mean_scores(edge, mean, sd):
    """(draws, bands) mean score of the people in each band; `mean` and `sd` are (draws,)."""
    out = np.zeros((len(mean), len(edge) - 1))
    for d in range(len(mean)):
        shares = score_shares(edge, mean[d], sd[d])
        for band in range(len(edge) - 1):
            for score in range(edge[band], edge[band + 1]):
                out[d, band] += score * shares[score]
    return out


@numba.njit(cache=True)
def shift(edge, mean, sd, effect, cv):
    """(draws, bands, bands) moves by an effect in standard deviations, its spread in proportion.

    A score s becomes s - effect × sd + e, with e normal and of standard deviation
    cv × |effect| × sd; it falls into the band whose scores it rounds to, beyond the ends of the
    scale into the outer ones. No effect therefore moves nobody. People in the first band stay.

    Parameters
    ----------
    edge
        As of `edges`.
    mean, sd
        (draws,) of the scores before.
    effect, cv
        (draws,) standardised effect, and the standard deviation of the individual effect over it.
    """
    n_bands = len(edge) - 1
    out = np.zeros((len(mean), n_bands, n_bands))
    for d in range(len(mean)):
        shares = score_shares(edge, mean[d], sd[d])
        out[d, 0, 0] = 1.0
        points = effect[d] * sd[d]
        spread = max(abs(points) * cv[d], 1e-9)
        for band in range(1, n_bands):
            for score in range(edge[band], edge[band + 1]):
                before = 0.0
                for to in range(n_bands - 1):
                    upto = below((edge[to + 1] - 0.5 - (score - points)) / spread)
                    out[d, band, to] += shares[score] * (upto - before)
                    before = upto
                out[d, band, n_bands - 1] += shares[score] * (1.0 - before)
    return out


def halved(condition: str, mean: float, sd: float) -> np.ndarray:
    """(bands, bands) moves of people whose score is halved and rounded down."""
    edge = edges(condition)
    shares = score_shares(edge, mean, sd)
    band = np.searchsorted(edge, np.arange(edge[-1]), side="right") - 1
    out = np.zeros((len(edge) - 1,) * 2)
    for score, share in enumerate(shares):
        out[band[score], band[score // 2]] += share
    return out

"""Who is referred: characteristics drawn jointly.

Age band, gender, ethnic group, deprivation and orientation come from one table of shares whose
margins are published (iterative proportional fitting: Deming & Stephan 1940,
doi:10.1214/aoms/1177731829) and whose associations are stated assumptions; the rest follows from
logistic models on them.
"""

from dataclasses import dataclass

import numpy as np

from iesoresearch.data import codes
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.seeds import rng

AGE_BANDS = ((16, 17), (18, 25), (26, 64), (65, 74), (75, 89), (90, 97))  # those seen
YOUNG = (0, 1)  # age bands below 26
UNKNOWN_DECILE = 10  # index of "no decile"


@dataclass(frozen=True)
class People:
    """Characteristics, one entry per referral; integers index the code lists.

    Attributes
    ----------
    age_band, gender, ethnicity, decile, orientation
        Indices into `AGE_BANDS`, `codes.GENDERS`, `codes.ETHNICITIES`, deciles from the most
        deprived (10 = not known) and `codes.ORIENTATIONS`.
    age
        Years at referral.
    long_term_condition, disability
        Indices into `codes.YES_NO`; what is recorded.
    ill, disabled
        The truth behind them.
    """

    age_band: np.ndarray
    gender: np.ndarray
    ethnicity: np.ndarray
    decile: np.ndarray
    orientation: np.ndarray
    age: np.ndarray
    long_term_condition: np.ndarray
    disability: np.ndarray
    ill: np.ndarray
    disabled: np.ndarray

    @property
    def deprivation(self) -> np.ndarray:
        """From -1 (least deprived decile) to 1 (most deprived), 0 where not known."""
        return _PLACES[self.decile]


#: Of the deciles, and of none.
_PLACES = np.append((4.5 - np.arange(10)) / 4.5, 0.0)


def expit(x: np.ndarray) -> np.ndarray:
    """Probability of a logit."""
    return 1.0 / (1.0 + np.exp(-x))


def fitted_table(margins: list[np.ndarray], association: np.ndarray) -> np.ndarray:
    """Shares with the given margins and the association (odds ratios) of `association`."""
    table = association / association.sum()
    for _ in range(200):
        largest = 0.0
        for axis, margin in enumerate(margins):
            others = tuple(a for a in range(table.ndim) if a != axis)
            present = table.sum(axis=others)
            # a group without anybody stays without anybody
            factor = np.divide(
                margin / margin.sum(), present, np.ones_like(present), where=present > 0
            )
            shape = [1] * table.ndim
            shape[axis] = len(margin)
            table = table * factor.reshape(shape)
            largest = max(largest, np.abs(factor - 1.0).max())
        if largest < 1e-9:
            break
    return table


def _finishers(profile: Profile) -> np.ndarray:
    """Shares of those who finish: (age band, gender, ethnic group, decile, orientation)."""
    margins = [np.array(profile[name], dtype=float) for name in (
        "age_shares", "gender_shares", "ethnicity_shares", "decile_shares", "orientation_shares"
    )]  # fmt: skip
    groups = np.array(profile["ethnicity_deprivation"])
    minority = np.array([g not in ("A", "B", "Z") for g in codes.ETHNICITIES], dtype=float)
    young = np.isin(np.arange(len(AGE_BANDS)), YOUNG).astype(float)
    diverse = np.isin(codes.ORIENTATIONS, ("gay or lesbian", "bisexual", "other")).astype(float)
    log_odds = (
        (groups[:, None] * _PLACES)[None, None, :, :, None]
        + profile["young_minority"] * (young[:, None] * minority)[:, None, :, None, None]
        + profile["young_diverse"] * (young[:, None] * diverse)[:, None, None, None, :]
    )
    return fitted_table(margins, np.exp(np.broadcast_to(log_odds, [len(m) for m in margins])))


def draw(n: int, profile: Profile, seed: int) -> People:
    """Draw the people of `n` referrals.

    Published margins are those of people who finish; the shares of those referred follow from the
    published chance of finishing in each decile of deprivation.
    """
    finishers = _finishers(profile)
    odds = 1.0 / np.array(profile["finishing"])
    referred = finishers * odds[None, None, None, :, None]
    cells = rng(seed, "synthetic", "people").choice(
        referred.size, size=n, p=(referred / referred.sum()).ravel()
    )
    age_band, gender, ethnicity, decile, orientation = np.unravel_index(cells, referred.shape)
    bounds = np.array(AGE_BANDS)
    random = rng(seed, "synthetic", "age")
    low, high = bounds[age_band, 0], bounds[age_band, 1]
    # within a band the younger ages are more frequent, as in the population seen
    age = low + np.floor((high + 1 - low) * random.random(n) ** profile["age_skew"])
    deprived = _PLACES[decile]
    ill = _drawn(profile, "ill", age, deprived, rng(seed, "synthetic", "illness"))
    disabled = _drawn(profile, "disabled", age + 20 * ill, deprived, rng(seed, "synthetic", "able"))
    return People(
        age_band, gender, ethnicity, decile, orientation, age.astype(np.uint8),
        _recorded(ill, profile["ltc_not_stated"], rng(seed, "synthetic", "ltc")),
        _recorded(disabled, profile["disability_not_stated"], rng(seed, "synthetic", "disability")),
        ill, disabled,
    )  # fmt: skip


def _drawn(profile: Profile, what: str, age, deprived, random: np.random.Generator) -> np.ndarray:
    intercept, by_decade, by_deprivation = profile[what]
    logit = intercept + by_decade * (age - 40.0) / 10.0 + by_deprivation * deprived
    return random.random(len(age)) < expit(logit)


def _recorded(truth: np.ndarray, not_stated: float, random: np.random.Generator) -> np.ndarray:
    """Indices into `codes.YES_NO`."""
    return np.where(random.random(len(truth)) < not_stated, 2, np.where(truth, 0, 1))

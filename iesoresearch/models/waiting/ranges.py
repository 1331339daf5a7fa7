"""What the model can take of each input: a draw outside is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError

SHARES = "second_wait_share_"
_NEAR = 1e-3  # published shares are given to five decimals


@dataclass(frozen=True)
class Range:
    """Lowest and highest value, each allowed itself unless `open` names it."""

    low: float
    high: float
    words: str
    open: str = ""

    def outside(self, values: np.ndarray) -> np.ndarray:
        """(draws,) which values the model cannot take."""
        below = values <= self.low if "low" in self.open else values < self.low
        above = values >= self.high if "high" in self.open else values > self.high
        return below | above


_SHARE = Range(0, 1, "a share between 0 and 1")
_RISK = Range(0, 1, "a probability of 0 or more and below 1", "high")
_NOT_NEGATIVE = Range(0, np.inf, "0 or more")
_POSITIVE = Range(0, np.inf, "above 0", "low")
#: By the beginning of the name of an input; the therapy effect itself may be any number.
RANGES = {
    "utility_": Range(-np.inf, 1, "a utility of 1 or less"),
    **dict.fromkeys(("background_", "course_", "week_of_work"), _NOT_NEGATIVE),
    **dict.fromkeys(
        ("first_session_share", "engaged_", "employed_share", "productivity_per_point", SHARES),
        _SHARE,
    ),
    # a probability of 1 has no finite rate
    **dict.fromkeys(
        ("deterioration_", "recovery_", "remission_", "response_waiting_list_", "relapse_"), _RISK
    ),
    "dropout_per_week": _RISK,
    **dict.fromkeys(("rr_nonresponse_", "response_cv_", "effect_tau"), _NOT_NEGATIVE),
    **dict.fromkeys(("second_wait_weeks_", "treatment_weeks", "discount_per_year"), _NOT_NEGATIVE),
    **dict.fromkeys(("weeks_waiting_list_", "phq9_sd", "gad7_sd"), _POSITIVE),
    "phq9_mean": Range(0, 27, "a PHQ-9 score between 0 and 27"),
    "gad7_mean": Range(0, 21, "a GAD-7 score between 0 and 21"),
}


def check_draws(draws: Mapping[str, np.ndarray]) -> None:
    """Refuse draws that the model would compute nonsense from.

    Parameters
    ----------
    draws
        (D,) values by name of input.

    Raises
    ------
    ParameterError
        A value that is not finite or outside its range, shares of the second wait that do not sum
        to one; the input and its first such draw are named.
    """
    for name, values in draws.items():
        bad = ~np.isfinite(values)
        if bad.any():
            raise ParameterError(f"Input {name} is not a finite number in draw {bad.argmax()}.")
        allowed = next((r for start, r in RANGES.items() if name.startswith(start)), None)
        if allowed is not None and (bad := allowed.outside(values)).any():
            first = int(bad.argmax())
            raise ParameterError(
                f"Input {name} must be {allowed.words}; draw {first} holds {values[first]:g}. "
                "Correct its distribution or range."
            )
    shares = [values for name, values in draws.items() if name.startswith(SHARES)]
    if shares:
        total = np.sum(shares, axis=0)
        if (bad := abs(total - 1) > _NEAR).any():
            first = int(bad.argmax())
            raise ParameterError(
                f"The inputs {SHARES}… must sum to 1; in draw {first} they sum to "
                f"{total[first]:g}. Divide them by their sum."
            )

"""What a site allows: from how many people on what may be shown, and how counts are rounded."""

import difflib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
import yaml

from iesoresearch.errors import ParameterError
from iesoresearch.hashes import POLICY_OF_SITE

_MOST = 1_000  # a larger threshold or base is a slip: nothing would be left to show
LARGEST = 5  # contributions that are kept of an amount, so the most that `dominance_n` can ask for

Rounding = Literal["nearest", "midpoint"]

#: Published rules by name; what they do not say is as in `Policy`. "nhs-tt": statistics of NHS
#: talking therapies below England. "opensafely": its rules for releasing files. "sacro": defaults
#: of the program ACRO (doi:10.1109/TP.2025.3566052).
PRESETS: dict[str, dict[str, Any]] = {
    "nhs-tt": {"min_count": 5, "round_to": 5},
    "opensafely": {"min_count": 8, "round_to": 5},
    "sacro": {
        **{"min_count": 10, "round_to": 5, "zeros_disclosive": True},
        **{"dominance_n": 2, "dominance_k": 0.9, "dominance_p": 0.1},
        **{"degrees_of_freedom": 10, "survival": 10},
    },
}
#: Of every rule, which values are stricter: larger ones, smaller ones, or no other.
_STRICTER = {
    **dict.fromkeys(("min_count", "round_to", "zeros_disclosive", "dominance_n", "dominance_p"), 1),
    **dict.fromkeys(("degrees_of_freedom", "percentile", "survival"), 1),
    **{"dominance_k": -1, "rounding": 0},
}


@dataclass(frozen=True)
class Policy:
    """From how many people on what may be shown, and how counts are rounded.

    Attributes
    ----------
    min_count
        Counts below it are suppressed, and parts of which the rest is below it.
    round_to
        Counts that are shown are rounded to a multiple of it; halves to the even multiple.
    zeros_disclosive
        Whether nobody is too few as well: that none of a group recovered tells of everybody in it.
    rounding
        "midpoint" shows all of 1 to `round_to` as the middle of them, and so on, as 3 for 1 to 6.
    dominance_n, dominance_k
        A mean of amounts is suppressed if the largest `dominance_n` of those who contribute to it
        hold more than this share of the sum.
    dominance_p
        So it is if all but the two largest contribute less than this share of the largest one's:
        the second could tell that one's amount to within it.
    degrees_of_freedom
        An estimate of a model needs so many people more than it has parameters.
    percentile
        People there must be on either side of a quantile.
    survival
        People that must be at risk, for what is said of them.
    """

    min_count: int = 10
    round_to: int = 5
    zeros_disclosive: bool = True
    rounding: Rounding = "nearest"
    dominance_n: int = 2
    dominance_k: float = 0.9
    dominance_p: float = 0.1
    degrees_of_freedom: int = 10
    percentile: int = 10
    survival: int = 10

    @property
    def fewest(self) -> int:
        """The smallest count that is suppressed."""
        return 0 if self.zeros_disclosive else 1

    def is_small(self, count):
        """Whether so few people may not be shown; of a number, an array, a column or a part."""
        # half a person: parts of people, as rates give them, are no whole numbers
        return (count < self.min_count) & (self.zeros_disclosive | (abs(count) >= 0.5))

    def rounded(self, count):
        """A count, or a column of counts, as it is shown."""
        base, column = self.round_to, isinstance(count, pl.Series)
        if self.rounding == "midpoint":
            middle = base * np.ceil(count / base) - base // 2
            return middle.clip(0).cast(count.dtype) if column else max(int(middle), 0)
        if column:
            return ((count / base).round(mode="half_to_even") * base).cast(count.dtype)
        return base * round(count / base)

    def shown_as(self, shown: int) -> tuple[int, int]:
        """Smallest and largest whole number that is shown like this."""
        half = self.round_to // 2
        if self.rounding == "midpoint":
            return (shown + half - self.round_to + 1, shown + half) if shown else (0, 0)
        ties_elsewhere = self.round_to % 2 == 0 and (shown // self.round_to) % 2 == 1
        half -= ties_elsewhere
        return max(shown - half, 0), shown + half

    def looser(self, other: "Policy") -> list[str]:
        """The rules in which this policy is not as strict as another, by name.

        A policy that is looser in none shows nothing that another hides by a rule. What is hidden
        to protect such cells is chosen anew under every policy, so one of those may be shown.
        """
        return [
            name
            for name, sign in _STRICTER.items()
            if not _as_strict(getattr(self, name), getattr(other, name), sign)
        ]

    @property
    def applied(self) -> dict[str, Any]:
        """What a released result says of its policy; `Policy(**applied)` gives it back."""
        plain, said = asdict(Policy()), asdict(self)
        always = ("min_count", "round_to")
        return {name: x for name, x in said.items() if name in always or x != plain[name]}

    @classmethod
    def read(cls, path: Path) -> "Policy":
        """Read params/disclosure.yaml, and beside it sites/disclosure.yaml of the site.

        What the files do not name is as in the preset that they name, or as in this class. A file
        may only be stricter than its preset, and the site only stricter than the project.

        Raises
        ------
        ParameterError
            No file, no names with values, an unknown name or preset, a value out of bounds, or one
            that is looser than it may be.
        """
        project = _read(path, Policy(), "")
        site = path.parent / POLICY_OF_SITE
        return _read(site, project, path.name) if site.exists() else project


def _as_strict(value, least, sign: int) -> bool:
    return value == least or sign * value > sign * least if sign else value == least


def _read(path: Path, basis: Policy, whose: str) -> Policy:
    """The policy of a file; `whose` is the name of the file it may only be stricter than."""
    content = _content(path)
    policy = basis
    if "preset" in content:
        preset = content.pop("preset")
        if preset not in list(PRESETS):  # a list or a mapping cannot be looked up
            raise _refused(path, f"knows no preset {preset!r}{_meant(preset, list(PRESETS))}")
        policy = replace(policy, **PRESETS[preset])
        _refuse_looser(path, policy, basis, whose)
        basis, whose = policy, whose or f"the preset {preset}"
    policy = replace(policy, **content)
    _check(path, policy)
    _refuse_looser(path, policy, basis, whose)
    return policy


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict):
        raise _refused(path, "must hold rules with their values, such as min_count: 10")
    names = [field.name for field in fields(Policy)]
    for name in content:
        if name not in (*names, "preset"):
            raise _refused(path, f"knows no {name!r}{_meant(name, [*names, 'preset'])}")
    return content


def _check(path: Path, policy: Policy) -> None:
    """Refuse values out of bounds."""
    whole = dict.fromkeys(("min_count", "round_to"), _MOST)
    whole |= dict.fromkeys(("degrees_of_freedom", "percentile", "survival"), _MOST)
    for name, most in (whole | {"dominance_n": LARGEST}).items():
        value = getattr(policy, name)
        if type(value) is not int or not 1 <= value <= most:
            raise _refused(path, f"wants a whole number from 1 to {most:,} as {name}")
    for name in ("dominance_k", "dominance_p"):
        value = getattr(policy, name)
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise _refused(path, f"wants a share from 0 to 1 as {name}")
    if type(policy.zeros_disclosive) is not bool:
        raise _refused(path, "wants true or false as zeros_disclosive")
    if policy.rounding not in get_args(Rounding):
        raise _refused(path, f"wants {' or '.join(get_args(Rounding))} as rounding")
    if policy.rounded(policy.min_count) == 0:
        raise _refused(
            path,
            f"rounds {policy.min_count}, which may be shown, to 0: make round_to less than "
            "twice min_count",
        )


def _refuse_looser(path: Path, policy: Policy, basis: Policy, whose: str) -> None:
    loose = policy.looser(basis) if whose else []
    if loose:
        both = [f"{n} {getattr(policy, n)} instead of {getattr(basis, n)}" for n in loose]
        raise _refused(path, f"may only be stricter than {whose}, and is not: {', '.join(both)}")


def _refused(path: Path, why: str) -> ParameterError:
    return ParameterError(
        f"{path}, the disclosure policy, {why}. Mend the file. Without a disclosure policy nothing "
        "is computed."
    )


def _meant(name, names: list[str]) -> str:
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(names)})"

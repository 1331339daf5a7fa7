"""What a site allows: the smallest count that may be shown, and how counts are rounded."""

import difflib
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl
import yaml

from iesoresearch.errors import ParameterError

_MOST = 1_000  # a larger threshold or base is a slip: nothing would be left to show


@dataclass(frozen=True)
class Policy:
    """Smallest number of people that may be shown, and the base counts are rounded to.

    Attributes
    ----------
    min_count
        Counts below it are suppressed, and parts of which the rest is below it.
    round_to
        Counts that are shown are rounded to a multiple of it; halves to the even multiple.
    zeros_disclosive
        Whether nobody is too few as well: that none of a group recovered tells of everybody in it.
    """

    min_count: int = 10
    round_to: int = 5
    zeros_disclosive: bool = True

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
        if isinstance(count, pl.Series):
            found = (count / self.round_to).round(mode="half_to_even") * self.round_to
            return found.cast(count.dtype)
        return self.round_to * round(count / self.round_to)

    def shown_as(self, shown: int) -> tuple[int, int]:
        """Smallest and largest whole number that is shown like this."""
        half = self.round_to // 2
        ties_elsewhere = self.round_to % 2 == 0 and (shown // self.round_to) % 2 == 1
        half -= ties_elsewhere
        return max(shown - half, 0), shown + half

    @classmethod
    def read(cls, path: Path) -> "Policy":
        """Read params/disclosure.yaml. What it does not name is as in this class.

        Raises
        ------
        ParameterError
            No file, no names with values, an unknown name, or a value out of bounds.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            content = None
        if not isinstance(content, dict):
            raise _refused(path, "must hold the whole numbers min_count and round_to")
        names = [field.name for field in fields(cls)]
        for name in content:
            if name not in names:
                raise _refused(path, f"knows no {name!r}{_meant(name, names)}")
        policy = cls(**content)
        for name in ("min_count", "round_to"):
            value = getattr(policy, name)
            if type(value) is not int or not 1 <= value <= _MOST:
                raise _refused(path, f"wants a whole number from 1 to {_MOST:,} as {name}")
        if type(policy.zeros_disclosive) is not bool:
            raise _refused(path, "wants true or false as zeros_disclosive")
        if policy.rounded(policy.min_count) == 0:
            raise _refused(
                path,
                f"rounds {policy.min_count}, which may be shown, to 0: make round_to less than "
                "twice min_count",
            )
        return policy


def _refused(path: Path, why: str) -> ParameterError:
    return ParameterError(
        f"{path}, the disclosure policy, {why}. Mend the file. Without a disclosure policy nothing "
        "is computed."
    )


def _meant(name, names: list[str]) -> str:
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(names)})"

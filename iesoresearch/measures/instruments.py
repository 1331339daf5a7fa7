"""PHQ-9, GAD-7 and WSAS as data: neutral item names, ranges, bands and missing-item rules.

The wording of the questions is not repeated here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One question. `not_applicable` is a code that is an answer but not a score."""

    name: str
    low: int
    high: int
    not_applicable: int | None = None


@dataclass(frozen=True)
class Band:
    """A named range of totals, both ends included."""

    name: str
    low: int
    high: int


@dataclass(frozen=True)
class Instrument:
    """A questionnaire.

    Attributes
    ----------
    code
        Prefix of its columns: ``phq9`` stands for ``phq9_1`` … ``phq9_9``.
    max_missing
        Most items that may be missing (or not applicable) for a total to be computed; the missing
        ones count as the mean of those answered.
    missing_rule
        Where that rule comes from.
    source
        Of the instrument and its bands.
    """

    code: str
    name: str
    items: tuple[Item, ...]
    bands: tuple[Band, ...]
    max_missing: int
    missing_rule: str
    source: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the item columns."""
        return tuple(f"{self.code}_{i}" for i in range(1, len(self.items) + 1))

    @property
    def n_categories(self) -> int:
        """Number of answer levels of the items that make the total."""
        return max(item.high for item in self.items) + 1

    @property
    def highest(self) -> int:
        """Largest possible total."""
        return sum(item.high for item in self.items)


def _items(high: int, *names: str) -> tuple[Item, ...]:
    return tuple(Item(name, 0, high) for name in names)


PHQ9 = Instrument(
    code="phq9",
    name="PHQ-9",
    items=_items(
        3,
        "interest",
        "low mood",
        "sleep",
        "energy",
        "appetite",
        "self-worth",
        "concentration",
        "psychomotor",
        "self-harm thoughts",
    ),
    bands=(
        Band("minimal", 0, 4),
        Band("mild", 5, 9),
        Band("moderate", 10, 14),
        Band("moderately severe", 15, 19),
        Band("severe", 20, 27),
    ),
    max_missing=2,
    missing_rule="up to two missing items count as the mean of the others "
    "(Arrieta et al. 2017, doi:10.1002/jclp.22390)",
    source="Kroenke, Spitzer & Williams 2001, doi:10.1046/j.1525-1497.2001.016009606.x",
)

GAD7 = Instrument(
    code="gad7",
    name="GAD-7",
    items=_items(
        3,
        "nervous",
        "uncontrolled worry",
        "many worries",
        "trouble relaxing",
        "restless",
        "irritable",
        "afraid",
    ),
    bands=(
        Band("minimal", 0, 4),
        Band("mild", 5, 9),
        Band("moderate", 10, 14),
        Band("severe", 15, 21),
    ),
    max_missing=0,
    missing_rule="no published rule was found, so a total needs all seven items",
    source="Spitzer, Kroenke, Williams & Löwe 2006, doi:10.1001/archinte.166.10.1092",
)

WSAS = Instrument(
    code="wsas",
    name="WSAS",
    items=(
        Item("work", 0, 8, not_applicable=9),
        *_items(8, "home", "social leisure", "private leisure", "relationships"),
    ),
    bands=(),
    max_missing=1,
    missing_rule="usable with at least four of five items (NHS Talking Therapies measure "
    "metadata); that the fifth counts as the mean of the others is this project's choice",
    source="Mundt, Marks, Shear & Greist 2002, doi:10.1192/bjp.180.5.461",
)

INSTRUMENTS = {instrument.code: instrument for instrument in (PHQ9, GAD7, WSAS)}

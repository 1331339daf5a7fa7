"""Groupings of patients: their headings, their groups in words, and what each is compared with."""

import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.published import labels
from iesoresearch.errors import DataError, ParameterError

COMMON_AGE = "age in three bands"
#: Breakdown -> heading, in the order they are shown.
HEADINGS = {
    "ethnic group": "Ethnic group",
    "ethnicity": "Ethnicity",
    "deprivation decile": "Deprivation",
    "age": "Age",
    COMMON_AGE: "Age in three bands",
    "gender": "Gender",
    "orientation": "Orientation",
    "religion": "Religion",
    "disability": "Disability",
    "long-term condition": "Long-term condition",
}
#: What a grouping is compared with: its largest group, but of deprivation the least deprived, and
#: nobody with a disability or a long-term condition. Ages have one for either set of bands.
REFERENCES = {
    "ethnic group": ("White",),
    "ethnicity": ("A",),
    "deprivation decile": ("10",),
    "age": ("26-64", "36-64"),
    COMMON_AGE: ("18-64",),
    "gender": ("female",),
    "orientation": ("heterosexual",),
    "religion": ("none",),
    "disability": ("none",),
    "long-term condition": ("no",),
}
_AGES = ("<16", "16-17", "<18", "18-25", "18-35", "18-64", "26-64", "36-64", "65+", "65-74")
_ORDERS = {"age": (*_AGES, "75-89", "90+"), COMMON_AGE: _AGES}
_DECILES = {"1": "1 (most deprived)", "10": "10 (least deprived)"}
_WHITE = {"A": "White British", "B": "White Irish"}


def level(breakdown: str, group: str) -> str:
    """A group in words, for tables and figures."""
    if breakdown == "deprivation decile":
        return _DECILES.get(group, group)
    if breakdown == "ethnicity":
        return _WHITE.get(group, codes.ETHNICITIES[group][1])
    if breakdown in ("disability", "long-term condition", "religion") and group == "none":
        return "no disability" if breakdown == "disability" else "no religion"
    return group


def place(breakdown: str, group: str) -> tuple[int, int, str]:
    """Where a group stands in tables: by grouping, then in its order, or by name."""
    order = list(HEADINGS).index(breakdown)
    if breakdown == "deprivation decile" and group.isdigit():
        return order, int(group), ""
    if breakdown in _ORDERS and group in _ORDERS[breakdown]:
        return order, _ORDERS[breakdown].index(group), ""
    return order, 99, "" if breakdown != "ethnicity" else group


def known(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of groups that say who somebody is."""
    return frame.filter(~pl.col("group").is_in(labels.SAYS_NOTHING))


def usable(england: pl.DataFrame, year: str, where: str) -> tuple[list[str], dict[str, str]]:
    """Groupings of a year that can be compared, and why the others cannot.

    What is lacking is not `where` the figures are from; whether it was published is not known here.

    Raises
    ------
    DataError
        None can be.
    """
    usable, why = [], {}
    for breakdown, heading in HEADINGS.items():
        if breakdown == COMMON_AGE:  # only where years are compared
            continue
        rows = known(england.filter(breakdown=breakdown, period=year))
        rated = rows.filter(pl.col("made_of") != "neither")["group"].n_unique()
        if rated > 1:
            usable.append(breakdown)
        else:
            groups = rows["group"].n_unique()
            why[heading] = _why(groups, rated, where)
    if not usable:
        told = "; ".join(f"{heading}: {reason}" for heading, reason in why.items())
        raise DataError(
            f"Published figures of {year}: no grouping can be compared. {told}. A comparison "
            "needs two groups with outcomes."
        )
    return usable, why


def _why(groups: int, rated: int, where: str) -> str:
    if groups == 0:
        return f"not {where} for this year"
    if groups == 1:
        return f"only one group is {where}, so there is nothing to compare it with"
    return f"outcomes of {rated} of {groups} groups are {where}, the others suppressed or left out"


def references(
    england: pl.DataFrame, year: str, usable: list[str], chosen: list[str] | None
) -> dict[str, str]:
    """Group that each grouping is compared with: as chosen, else as stated, else the largest.

    Raises
    ------
    ParameterError
        A choice that is not of the form Grouping=Level, or that is not among the figures.
    """
    rows = known(england.filter(pl.col("made_of") != "neither", period=year))
    wanted = _chosen(chosen or [], rows, usable)
    found = {}
    for breakdown in usable:
        of_it = rows.filter(breakdown=breakdown)
        present = of_it["group"].unique(maintain_order=True).to_list()
        stated = [g for g in REFERENCES[breakdown] if g in present]
        largest = of_it.sort("finished", descending=True, nulls_last=True)["group"][0]
        found[breakdown] = wanted.get(breakdown) or (stated or [largest])[0]
    return found


def _chosen(chosen: list[str], rows: pl.DataFrame, usable: list[str]) -> dict[str, str]:
    by_heading = {HEADINGS[breakdown].casefold(): breakdown for breakdown in usable}
    found = {}
    for text in chosen:
        heading, sign, name = text.partition("=")
        if sign and heading.strip().casefold() == HEADINGS[COMMON_AGE].casefold():
            raise ParameterError(
                f"reference={text!r}: the three bands of age are there to compare years, always "
                f"with {REFERENCES[COMMON_AGE][0]}. A reference of ages is chosen as Age=Level."
            )
        breakdown = by_heading.get(heading.strip().casefold())
        if not sign or breakdown is None:
            raise ParameterError(
                f"reference={text!r} is not of the form Grouping=Level with one of the groupings "
                f"{', '.join(HEADINGS[b] for b in usable)}."
            )
        groups = rows.filter(breakdown=breakdown)["group"].unique(maintain_order=True).to_list()
        names = {level(breakdown, group).casefold(): group for group in groups}
        names |= {group.casefold(): group for group in groups}
        if name.strip().casefold() not in names:
            raise ParameterError(
                f"reference={text!r}: there is no such group with an outcome among these figures; "
                f"the groups are {', '.join(level(breakdown, group) for group in groups)}."
            )
        found[breakdown] = names[name.strip().casefold()]
    return found


def patients(breakdown: str, group: str) -> str:
    """Patients of a group, as a sentence names them."""
    name = level(breakdown, group)
    if breakdown == "age":
        under, over = group.startswith("<"), group.endswith("+")
        years = f"under {group[1:]}" if under else f"{group[:-1]} or older" if over else group
        return f"patients {years}" if under else f"patients aged {years}"
    return _SAID.get((breakdown, group)) or _SAID_OF.get(breakdown, "{name} patients").format(
        name=name
    )


_SAID = {
    ("deprivation decile", "1"): "patients in the most deprived tenth of areas",
    ("deprivation decile", "10"): "patients in the least deprived tenth of areas",
    ("disability", "none"): "patients recorded as having no disability",
    ("long-term condition", "yes"): "patients with a recorded long-term condition",
    ("long-term condition", "no"): "patients recorded as having none",
    ("religion", "none"): "patients with no religion",
    ("religion", "other"): "patients of another religion",
    ("ethnic group", "Other"): "patients of another ethnic group",
    ("ethnicity", "S"): "patients of any other ethnic group",
    ("gender", "other"): "patients recorded as neither female nor male",
}
_SAID_OF = {
    "deprivation decile": "patients in decile {name} of deprivation",
    "disability": "patients with a recorded disability of {name}",
}

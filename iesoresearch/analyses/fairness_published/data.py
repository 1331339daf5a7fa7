"""The figures that `fairness_published` works on, and the year it looks at."""

from dataclasses import dataclass

import polars as pl

from iesoresearch.analyses.fairness_published import Params
from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.data import locate, published
from iesoresearch.data.published import grouped, labels
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.hashes import digest, file_hash
from iesoresearch.params import Settings

PACKAGED, BESIDE = "in this package", "in these files"
UNKNOWN_ORG = "UNKNOWN"  # where the commissioner is not known
_NOBODY = pl.DataFrame(schema=dict.fromkeys(("org", "kind", "name"), pl.String))


@dataclass(frozen=True, eq=False)
class Figures:
    """Published figures by group.

    Attributes
    ----------
    name, fingerprint
        What they are, in words, and a hash of them.
    organisations
        Regions and providers: org, kind, name.
    frame
        Every figure, in the columns of `published.load` and our words.
    cells
        What every rate is made of, see `grouped.cells`; ages also in three bands (England).
    year
        That is looked at.
    groupings
        Breakdowns of the year that can be compared, in order.
    left_out
        Heading of a grouping -> why it cannot be.
    reference
        Breakdown -> the group that others are compared with, of ages in three bands, too.
    where
        What does not hold what is lacking: "in this package" or "in these files".
    """

    name: str
    fingerprint: str
    organisations: pl.DataFrame
    frame: pl.DataFrame
    cells: pl.DataFrame
    year: str
    groupings: tuple[str, ...]
    left_out: dict[str, str]
    reference: dict[str, str]
    where: str = PACKAGED

    @property
    def england(self) -> pl.DataFrame:
        """Cells of England, all years."""
        return self.cells.filter(org=published.ENGLAND)

    @property
    def years(self) -> list[str]:
        """All years of England."""
        return self.england["period"].unique().sort().to_list()

    def of_kind(self, kind: str) -> pl.DataFrame:
        """Cells of the year of regions ("Commissioning Region") or providers ("Provider")."""
        orgs = self.organisations.filter(pl.col("kind") == kind, pl.col("org") != UNKNOWN_ORG)
        return self.cells.filter(period=self.year).join(orgs, on="org", how="inner")

    def of_year(self, measure: str) -> pl.DataFrame:
        """Cells of England in the year, of groupings that can be compared, in order."""
        rows = self.england.filter(
            pl.col("breakdown").is_in(self.groupings), period=self.year, measure=measure
        )
        return sorted_groups(rows)


def sorted_groups(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by grouping and group, in the order of tables."""
    pairs = rows.select("breakdown", "group").unique().rows()
    order = {"\t".join(pair): i for i, pair in enumerate(sorted(pairs, key=_place))}
    return rows.sort(
        pl.concat_str(["breakdown", "group"], separator="\t").replace_strict(
            order, return_dtype=pl.Int64
        ),
        maintain_order=True,
    )


def _place(pair: tuple[str, str]) -> tuple:
    return *g.place(*pair), pair[1]


def load(params: Params, settings: Settings) -> Figures:
    """The figures that `params` name.

    Raises
    ------
    ParameterError
        A year or reference that is not among them.
    NotApplicable
        A long file is in no folder of the search path.
    DataError
        A file that cannot be read or used, or that is not where its path says; see
        `published.read` and `grouped.harmonised`.
    """
    paths = [
        locate.file_beside(name, settings.search_path, params.open_beside)
        for name in params.files_beside
    ]
    if not paths:
        return figures(
            "Published figures of NHS Talking Therapies, England",
            digest(published.content() + grouped.content()),
            grouped.packaged(),
            params,
        )
    frame = grouped.harmonised(pl.concat([published.read(path) for path in paths]))
    orgs = pl.concat([published.organisations(path) for path in paths])
    files = ", ".join(path.name for path in paths)
    return figures(
        f"Published figures of NHS Talking Therapies ({files})",
        digest(" ".join(file_hash(path) for path in paths).encode()),
        frame,
        params,
        orgs.unique("org", keep="first", maintain_order=True),
        BESIDE,
    )


def figures(
    name: str,
    fingerprint: str,
    frame: pl.DataFrame,
    params: Params,
    organisations: pl.DataFrame = _NOBODY,
    where: str = PACKAGED,
) -> Figures:
    """The same from figures in our words.

    Raises
    ------
    ParameterError
        A year or reference that is not among them.
    DataError
        There are none of England, or no grouping can be compared.
    """
    cells = grouped.cells(frame)
    england = cells.filter(org=published.ENGLAND)
    if england.is_empty():
        raise DataError(
            "Published figures: there are none of England (org_type England), which every "
            "comparison here is of. Name the file of England beside that of regions or providers."
        )
    cells = pl.concat([cells, common_ages(england)])
    england = cells.filter(org=published.ENGLAND)
    year = _year(england, params)
    usable, why = g.usable(england, year, where)
    reference = g.references(england, year, usable, params.reference)
    reference[g.COMMON_AGE] = g.REFERENCES[g.COMMON_AGE][0]
    about = (name, fingerprint, organisations, frame, cells, year)
    return Figures(*about, tuple(usable), why, reference, where)


def _year(england: pl.DataFrame, params: Params) -> str:
    years = england["period"].unique().sort().to_list()
    if params.year is not None and params.year not in years:
        raise ParameterError(
            f"year={params.year!r}: there are no figures of that year; the years are "
            f"{', '.join(years)}."
        )
    by_group = g.known(england.filter(pl.col("breakdown") != labels.TOTAL, made_of="counts"))
    counted = by_group["period"].unique().sort().to_list()
    return params.year or (counted or years)[-1]


def common_ages(england: pl.DataFrame) -> pl.DataFrame:
    """Ages in the three bands that all years have, summed from the published ones (exact counts).

    A band is there where all its parts are published in the year.
    """
    parts = {part: band for band, of_it in labels.COMMON_AGES.items() for part in of_it}
    ages = england.filter(breakdown="age")
    if not ages.is_empty() and ages["n_error"].max() != 0:
        return ages.clear()  # rounding errors would add up
    summed = ["referrals", "finished", "events", "n", "events_error", "n_error"]
    return (
        ages.with_columns(
            breakdown=pl.lit(g.COMMON_AGE),
            group=pl.col("group").replace_strict(parts, default=None),
        )
        .drop_nulls("group")
        .filter((pl.col("made_of") == "counts").all().over("period", "measure", "group"))
        .group_by([*grouped.KEYS, "measure"], maintain_order=True)
        .agg(pl.col(summed).sum(), stated=pl.lit(None, pl.Float64), made_of=pl.lit("counts"))
        .select(england.columns)
    )

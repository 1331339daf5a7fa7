"""Published figures of one organisation, as `cohort` shows them and sets them beside records."""

from dataclasses import dataclass

import polars as pl

from iesoresearch.data import published
from iesoresearch.errors import ParameterError
from iesoresearch.hashes import digest
from iesoresearch.measures.outcomes import percentages_from_counts, wilson
from iesoresearch.results import Table, Value

SHOWN = ("reliable improvement", "recovery", "reliable recovery", "reliable deterioration")
_ORG = {"england": published.ENGLAND, "ieso": published.IESO}
_WHO = {"england": "England", "ieso": "ieso (provider AM601)"}
_LABEL = {"england": "England", "ieso": "ieso"}
#: How counts and percentages are rounded: largest error of a count, half a unit of a percentage.
_ROUNDED = {"england": (0.0, 0.05), "ieso": (2.5, 0.5)}
_PRECISION = {
    "england": "",
    "ieso": "; counts are rounded to 5, percentages to whole numbers, and the bars allow for that",
}
_FIRST, _SECOND = "first wait", "second wait"


def load(profile: str, year: str | None) -> "Published":
    """Figures of the organisation that `profile` names; of the latest year if none is given.

    Raises
    ------
    ParameterError
        Nothing was published for that year.
    """
    frame = published.load().filter(org=_ORG[profile])
    years = frame.filter(breakdown="total")["period"].unique().sort().to_list()
    if year is not None and year not in years:
        raise ParameterError(
            f"published_year={year!r}: there are no figures of that year; the years are "
            f"{years[0]} to {years[-1]}."
        )
    return Published(frame, profile, years, year or years[-1])


@dataclass(frozen=True)
class Published:
    """Figures of one organisation, and the year that is compared with."""

    frame: pl.DataFrame
    profile: str
    years: list[str]
    year: str

    @property
    def who(self) -> str:
        """Whose figures they are."""
        return _WHO[self.profile]

    @property
    def name(self) -> str:
        """For titles."""
        return f"Published figures of NHS Talking Therapies: {self.who}"

    @property
    def label(self) -> str:
        """Heading of a column of published figures."""
        return f"{_LABEL[self.profile]} {self.year}"

    @property
    def precision(self) -> str:
        """What a caption has to add about rounding."""
        return _PRECISION[self.profile]

    @property
    def attribution(self) -> str:
        """What has to be said wherever the figures are shown."""
        return published.ATTRIBUTION

    @property
    def licence(self) -> str:
        """Of the figures."""
        return "OGL-UK-3.0"

    @property
    def fingerprint(self) -> str:
        """Hash of the published table."""
        return digest(published.content())

    def counted(self) -> dict[str, int]:
        """How many figures there are, for how many years and courses."""
        return {
            "published figures": self.frame.height,
            "years": len(self.years),
            f"referrals received in {self.year}": self.count("referrals"),
            f"finished courses of treatment in {self.year}": self.count("finished"),
        }

    def count(self, measure: str) -> int | None:
        """A count of the whole organisation in the year."""
        found = self._total(self.year).filter(measure=measure, statistic="count")["value"]
        return int(found.item()) if len(found) else None

    def rate(self, measure: str, year: str | None = None) -> float | None:
        """A rate of the whole organisation, from counts where there are counts."""
        total = self._total(year or self.year)
        judged = _rates(total, ("period",), _ROUNDED[self.profile][1]).filter(measure=measure)
        if len(judged):
            return judged["rate"].item()
        found = dict(total.filter(statistic="count").select("measure", "value").iter_rows())
        return found[measure] / found["finished"] if measure in found else None

    def wait_share(self, wait: str, low: int, high: int | None) -> float | None:
        """Share of finished courses that waited from `low` to `high` days, ends included.

        Only where it follows from the published bands and standards, whose edges are 28, 42, 56,
        90 and 126 days.
        """
        reached = self._reached(_FIRST if wait == "wait_days" else _SECOND)
        before = 0.0 if low == 0 else reached.get(low - 1)
        until = 1.0 if high is None else reached.get(high)
        return None if before is None or until is None else until - before

    def _reached(self, wait: str) -> dict[int, float]:
        """Share that waited no longer than so many days."""
        finished = self.count("finished")
        total = self._total(self.year).filter(statistic="count")
        found = dict(total.select("measure", "value").iter_rows())
        bands = self.frame.filter(period=self.year, breakdown=wait, statistic="count")
        of_band = dict(bands.select("group", "value").iter_rows())
        reached, so_far = {}, 0.0
        for day, band in ((28, "<=28 days"), (56, "29-56 days"), (90, "57-90 days")):
            if band not in of_band:
                break
            so_far += of_band[band]
            reached[day] = so_far / finished
        if wait == _FIRST:
            for day, measure in ((42, "wait <= 6 weeks"), (126, "wait <= 18 weeks")):
                if measure in found:
                    reached[day] = found[measure] / finished
        return reached

    def by_year(self) -> Table:
        """Rates of every year."""
        totals = self.frame.filter(pl.col("period").is_in(self.years), breakdown="total")
        found = _rates(totals, ("period",), _ROUNDED[self.profile][1]).rename({"period": "year"})
        return _table(found, {"year": "Financial year"}, f"Outcomes by year: {self.who}")

    def by_deprivation(self) -> Table:
        """Rates by decile of the year, or of all years together where only those are published."""
        deciles = self.frame.filter(
            pl.col("group") != "not known", breakdown="deprivation decile"
        ).with_columns(decile=pl.col("group").cast(pl.Int64, strict=False))
        found = _rates(deciles, ("period", "decile"), _ROUNDED[self.profile][1])
        of_year = found.filter(period=self.year)
        if of_year.is_empty():
            of_year = found.filter(pl.col("period").str.contains(" to "))
        keys = {"period": "Financial year", "decile": "Decile, 1 = most deprived"}
        return _table(of_year.sort("decile"), keys, f"Outcomes by deprivation: {self.who}")

    def courses_by_decile(self) -> int | None:
        """Finished courses of the deciles in the table by deprivation, where they are published."""
        period = self.by_deprivation().frame["period"][0]
        found = self.frame.filter(
            pl.col("statistic").str.starts_with("count"),
            pl.col("group") != "not known",
            period=period,
            breakdown="deprivation decile",
            measure="finished",
        )["value"]
        return int(found.sum()) if len(found) else None

    def reproduced(self) -> pl.DataFrame:
        """Published percentages beside those that follow from the counts: ``apart``, ``fine``.

        Fine is what the rounding of counts and percentages allows for.
        """
        about = ["period", "breakdown", "group", "measure"]
        stated = self.frame.filter(statistic="percentage").select(*about, stated="value")
        both = percentages_from_counts(self.frame).drop_nulls(["numerator", "denominator"])
        both = both.join(stated, on=about, how="inner", maintain_order="left")
        count, half = _ROUNDED[self.profile]
        x, n = pl.col("numerator"), pl.col("denominator")
        # two rounded counts stand in the denominator of the recovery rates, one in the others
        error = pl.when(pl.col("measure").str.contains("recovery")).then(2 * count).otherwise(count)
        least, most = 100 * (x - count) / (n + error), 100 * (x + count) / (n - error)
        half += 1e-9
        return both.with_columns(
            apart=(100 * x / n - pl.col("stated")).abs(),
            fine=(least <= pl.col("stated") + half) & (most >= pl.col("stated") - half),
        )

    def _total(self, year: str) -> pl.DataFrame:
        return self.frame.filter(period=year, breakdown="total")


def _rates(frame: pl.DataFrame, keys: tuple[str, ...], half: float) -> pl.DataFrame:
    """Rates of the shown measures with intervals: from counts, else as published.

    An interval of a rate that is published rounded is widened by the rounding, `half` a unit of a
    percentage. Where its exact denominator is not published, that of the whole is taken.
    """
    size = frame.filter(pl.col("statistic").str.starts_with("count"))
    sizes = size.group_by(keys).agg(
        finished=pl.col("value").filter(measure="finished").first(),
        cases=pl.col("value").filter(measure="at caseness").first(),
    )
    stated = frame.filter(pl.col("measure").is_in([*SHOWN, "no reliable change"]))
    stated = stated.filter(statistic="percentage").select(*keys, "measure", stated="value")
    counts = percentages_from_counts(frame).drop_nulls(["numerator", "denominator"])
    counts = counts.select(*keys, "measure", "numerator", "denominator")
    both = stated.join(counts, on=[*keys, "measure"], how="full", coalesce=True)
    both = both.join(sizes, on=keys, how="left")
    recovery = pl.col("measure").str.contains("recovery")
    whole = pl.when(recovery).then(pl.coalesce("cases", "finished")).otherwise("finished")
    both = both.with_columns(
        rounded=pl.when(pl.col("numerator").is_null()).then(half / 100).otherwise(0.0),
        n=pl.coalesce(pl.col("denominator").cast(pl.Float64), whole).round().cast(pl.Int64),
        numerator=pl.coalesce(pl.col("numerator").cast(pl.Float64), whole * pl.col("stated") / 100),
    )
    interval = wilson(pl.col("numerator"), pl.col("n"))
    rate = pl.coalesce(interval["rate"], pl.col("stated") / 100)
    low, high = interval["low"] - pl.col("rounded"), interval["high"] + pl.col("rounded")
    return both.with_columns(rate=rate, rate_low=low, rate_high=high).drop("rounded")


def _table(found: pl.DataFrame, keys: dict[str, str], title: str) -> Table:
    open_data = {"sensitivity": "open"}
    values = {
        "rate": Value("rate", "Rate", 3, **open_data),
        "rate_low": Value("model", "95 % from", 3, **open_data),
        "rate_high": Value("model", "to", 3, **open_data),
        "n": Value("count", "Courses", 0, **open_data),
    }
    keys = {"measure": "Measure"} | keys
    order = {measure: place for place, measure in enumerate(SHOWN)}
    found = found.filter(pl.col("measure").is_in(SHOWN)).sort(
        pl.col("measure").replace_strict(order), *list(keys)[1:]
    )
    return Table(title, found.select(*keys, *values), keys, values)

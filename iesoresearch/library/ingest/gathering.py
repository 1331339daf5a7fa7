"""A site's tables, de-identified and held compactly, to be written part by part.

Rows know their referral by a number until they are written, so that the ids of a million referrals
are held once. Referrals lie in the order of their parts.
"""

from collections import Counter

import polars as pl

from iesoresearch.data.conform import conformed
from iesoresearch.data.questions import Tables
from iesoresearch.library.deidentify import ages, dates
from iesoresearch.library.deidentify.identity import People
from iesoresearch.library.deidentify.ids import Pseudonyms
from iesoresearch.library.ingest.speech import Speech
from iesoresearch.library.tables import LEFT_EMPTY, LIBRARY_TABLES
from iesoresearch.measures.outcomes import Thresholds

_WHEN = {
    "referrals": ("referral_date", "discharge_date"), "contacts": ("date",), "scores": ("date",)
}  # fmt: skip
_NO_DATE = (
    "{n} date(s) lie before 5 July 1948 or not after the patient's birth; left out, they are no "
    "dates of care"
)
_NO_AGE = "{n} age(s) from the date of birth lie below 0 or above 120 years; left out"


class Gathered:
    """Tables of a submission.

    Parameters
    ----------
    tables
        Canonical and lazy, with the site's own ids.
    people
        ``local_id``, ``patient_id``, ``shift``, ``born``, ``part``, and ``decile`` where an area
        was looked up.
    makes
        Pseudonyms of referrals, therapists and services.
    thresholds
        Outcome rules whose beginnings are kept.
    identifiers
        What is known of the people, to redact what they said.
    """

    def __init__(
        self,
        tables: Tables,
        people: pl.DataFrame,
        makes: Pseudonyms,
        thresholds: Thresholds,
        identifiers: People,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._people, self._makes = people, makes
        typed = {name: conformed(t, LIBRARY_TABLES[name])[0] for name, t in tables.items()}
        self._keys, self.referrals = self._referrals(typed["referrals"], thresholds)
        self._patients = self._persons(typed["patients"])
        self._rows = {
            name: self._numbered(name, table)
            for name, table in typed.items()
            if name not in ("patients", "referrals")
        }
        self._speech = None
        if "utterances" in self._rows:
            self._speech = Speech(identifiers, people, self._names)

    @property
    def redacted(self) -> Counter[str]:
        """Marks in the transcripts so far, by kind."""
        return self._speech.counts if self._speech else Counter()

    @property
    def names(self) -> list[str]:
        """Tables there are."""
        return ["patients", "referrals", *self._rows]

    def of_part(self, part: str) -> dict[str, pl.DataFrame]:
        """Rows of a part, as they are stored, by table."""
        own = self.referrals.filter(pl.col("part") == part)
        return {
            "patients": _as_stored(self._patients.filter(pl.col("part") == part), "patients"),
            "referrals": _as_stored(self._moved(own, "referrals"), "referrals"),
            **{name: self._rows_of(name, own) for name in self._rows},
        }

    def _referrals(self, table: pl.LazyFrame, thresholds: Thresholds):
        frame = table.collect(engine="streaming").rename({"patient_id": "local_id"})
        who = self._people.select("local_id", "patient_id", "shift", "born", "part")
        frame = frame.join(who, on="local_id", how="inner")
        frame = self._without_impossible(frame, "referrals")
        raw = frame["referral_id"]
        made = pl.Series("referral_id", self._makes.of("referral", raw), dtype=pl.String)
        frame = dates.with_years(frame.with_columns(made, raw=raw), thresholds)
        frame = self._with_service(self._with_age(frame))
        frame = frame.sort("part", "referral_id").with_row_index("ref")
        return frame.select("ref", referral_id="raw"), frame.drop("raw", "local_id")

    def _with_age(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The age at the referral, from the date of birth where the site gives none."""
        age = ages.age_on(pl.col("referral_date"), pl.col("born"))
        computed = frame.select(age=age, given="age_at_referral")
        absent = pl.col("given").is_null()
        wrong = computed.filter(absent, ~pl.col("age").is_between(0, ages.OLDEST)).height
        self.counts[_NO_AGE] += wrong
        return frame.with_columns(
            exact=pl.coalesce("age_at_referral", ages.possible(age)),
        )

    def _with_service(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(self._hashed(frame["service_id"], "service"))

    def _hashed(self, values: pl.Series, kind: str) -> pl.Series:
        distinct = values.drop_nulls().unique()
        if distinct.is_empty():
            return values
        made = pl.Series(self._makes.of(kind, distinct), dtype=pl.String)
        return values.replace_strict(distinct, made, default=None, return_dtype=pl.String)

    def _persons(self, table: pl.LazyFrame) -> pl.DataFrame:
        """A row per person, of whoever has a referral or not; ages in bands."""
        frame = table.collect(engine="streaming").rename({"patient_id": "local_id"})
        emptied = LEFT_EMPTY["patients"]
        lost = frame.filter(pl.any_horizontal(pl.col(emptied).is_not_null())).height
        text = "{n} patient(s) have words or weights of a survey; these are left out"
        self.counts[text] += lost
        frame = frame.drop(emptied).join(self._people, on="local_id", how="inner")
        decile = pl.coalesce("deprivation_decile", "decile")
        frame = frame.with_columns(deprivation_decile=decile).sort("patient_id", "local_id")
        first = self.referrals.sort("referral_date", "ref", nulls_last=True)
        first = first.group_by("patient_id").agg(at_first=pl.col("exact").first())
        said = [c for c in LIBRARY_TABLES["patients"].column_names() if c in frame.columns]
        said = [c for c in said if c not in ("patient_id", "age")]
        one = frame.group_by("patient_id", maintain_order=True).agg(
            pl.col("age").min(),
            pl.col("part").first(),
            *(pl.col(c).drop_nulls().last() for c in said),
        )
        one = one.join(first, on="patient_id", how="left", maintain_order="left")
        return one.with_columns(age=ages.banded(pl.coalesce("age", "at_first")))

    def _numbered(self, name: str, table: pl.LazyFrame) -> pl.DataFrame:
        """Rows of whoever may come in, with the number of their referral."""
        rows = table.join(self._keys.lazy(), on="referral_id", how="inner")
        rows = rows.drop("referral_id", "patient_id", strict=False)
        if name == "contacts":
            seen = table.select("therapist_id").unique().collect(engine="streaming").to_series()
            self._names = seen = seen.drop_nulls().sort()
            self._therapists = pl.Series(
                "therapist_id", self._makes.of("therapist", seen), dtype=pl.String
            )
            coded = pl.DataFrame({"therapist_id": seen}).with_row_index("therapist")
            rows = rows.join(coded.lazy(), on="therapist_id", how="left").drop("therapist_id")
        return rows.collect(engine="streaming")

    def _rows_of(self, name: str, own: pl.DataFrame) -> pl.DataFrame:
        rows = self._rows[name]
        if own.is_empty():
            rows = rows.clear()
        else:
            rows = rows.filter(pl.col("ref").is_between(own["ref"].min(), own["ref"].max()))
        ids = own.select("ref", "referral_id", "patient_id", "shift", "born")
        rows = rows.join(ids, on="ref", how="left", maintain_order="left")
        if name == "contacts":
            names = self._therapists.gather(rows["therapist"])
            rows = rows.with_columns(names.alias("therapist_id"))
        if name == "utterances":
            rows = self._speech.redacted(rows)
        rows = self._without_impossible(rows, name)
        if name == "scores":
            rows = rows.filter(pl.col("date").is_not_null())
        return _as_stored(self._moved(rows, name), name)

    def _without_impossible(self, frame: pl.DataFrame, name: str) -> pl.DataFrame:
        columns = _WHEN.get(name, ())
        bad = {c: dates.impossible(c) for c in columns}
        if columns:
            self.counts[_NO_DATE] += sum(frame.select(e.sum() for e in bad.values()).row(0))
        return frame.with_columns(pl.when(~e).then(c).alias(c) for c, e in bad.items())

    def _moved(self, frame: pl.DataFrame, name: str) -> pl.DataFrame:
        """Dates shifted; of referrals also the ages in bands."""
        frame = frame.with_columns(dates.shifted(c) for c in _WHEN.get(name, ()))
        if name != "referrals":
            return frame
        return frame.with_columns(
            age_at_referral=ages.banded(pl.col("exact")),
            age_at_period_end=ages.banded(pl.col("age_at_period_end")),
        )


def _as_stored(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The columns of the schema in their order, rows in the order of their key."""
    schema = LIBRARY_TABLES[name]
    columns = [
        pl.col(c).cast(column.dtype) if c in frame.columns else pl.lit(None, column.dtype).alias(c)
        for c, column in schema.columns().items()
    ]
    return frame.select(columns).sort(schema.primary_key())

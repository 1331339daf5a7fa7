"""From where somebody lives to how deprived the area is; the place itself is dropped."""

from dataclasses import dataclass

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.library.deidentify.identity import normal_postcode


@dataclass(frozen=True)
class Deciles:
    """Look-up of an area, "postcode" or "lsoa", in its normal form, to its decile."""

    area: str
    frame: pl.DataFrame

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Deciles":
        """From text columns ``lsoa`` or ``postcode``, and ``deprivation_decile``.

        Raises
        ------
        DataError
            A column is absent, a decile is none, or an area has two.
        """
        area = next((a for a in ("lsoa", "postcode") if a in frame.columns), None)
        if area is None or "deprivation_decile" not in frame.columns:
            raise DataError(
                "The look-up of deprivation needs the columns deprivation_decile (1 = most "
                "deprived) and lsoa or postcode. Name them in the file of --declare."
            )
        decile = pl.col("deprivation_decile").cast(pl.Float64, strict=False)
        table = frame.select(
            pl.col(area).map_elements(normal_postcode, return_dtype=pl.String),
            decile=pl.when(decile.is_between(1, 10) & (decile % 1 == 0))
            .then(decile)
            .cast(pl.UInt8),
        ).unique(maintain_order=True)
        wrong = table["decile"].null_count() + table[area].null_count()
        twice = table.height - table[area].n_unique()
        if wrong or twice:
            raise DataError(
                f"The look-up of deprivation: {wrong} row(s) have no area or no decile from 1 to "
                f"10, {twice} area(s) have two. Correct it and ingest again; nothing was written."
            )
        return cls(area, table)

    def look_up(self, people: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Decile by ``local_id``, and how many with a known area are not in the look-up."""
        known = people.filter(pl.col(self.area).is_not_null())
        known = known.unique("local_id", keep="last", maintain_order=True)
        found = known.select("local_id", self.area).join(
            self.frame, on=self.area, how="left", maintain_order="left"
        )
        return found.select("local_id", "decile"), found["decile"].null_count()

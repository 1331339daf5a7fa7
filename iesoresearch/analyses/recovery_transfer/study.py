"""How `recovery_transfer` is computed: read the model, apply it, judge, update."""

from dataclasses import replace
from pathlib import Path

from iesoresearch.analyses.recovery_transfer import MODEL_FILE, Params, tables
from iesoresearch.analyses.recovery_transfer.captions import DRIFT_BY_YEAR, FIGURES, UNUPDATED
from iesoresearch.analyses.recovery_transfer.compared import described_in
from iesoresearch.analyses.recovery_transfer.fitted import Fitted
from iesoresearch.analyses.recovery_transfer.site import Site, load
from iesoresearch.analyses.recovery_transfer.tables import summary
from iesoresearch.analyses.recovery_transfer.text import text
from iesoresearch.analyses.recovery_transfer.words import checks, no_time, numbers
from iesoresearch.data import shifted
from iesoresearch.models.prediction import saved
from iesoresearch.results import Result, Table

__all__ = ["load", "run", "summary"]

TITLE = "A shipped model at another site: does it hold, and does updating help?"
#: Table or figure -> why it is not there, by what is lacking.
NOT_TOLD = "The model’s file does not tell of the patients it was made with."
NOBODY = "Nobody is outside what the model knows."
NO_UPDATE = "There are too few patients with, or without, the outcome to update the model."
#: What the updated model says of its update, and which numbers travel with it.
SAID = "Closed test ({{update}}) on {{n_learnt}} patients of: {site}"
TOLD = ("observed_expected", "slope", "ici")
TOO_FEW = "Of the numbers of local patients asked for, none is at most half of the site."


def run(site: Site, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    DataError
        The model refuses everybody.
    """
    fitted = Fitted(site, params)
    missing = _not_applicable(fitted)
    specs = FIGURES | ({} if fitted.update else {"calibration": UNUPDATED})
    specs |= {"drift": DRIFT_BY_YEAR} if fitted.days_shifted else {}
    cohort = site.cohort
    usable = fitted.update is not None and not fitted.update.warning
    return Result(
        tables=_tables(fitted, missing),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures={name: spec for name, spec in specs.items() if name not in missing},
        not_applicable=missing,
        documents={MODEL_FILE: _write_updated(fitted)} if usable else {},
        provenance={
            "title": TITLE,
            "data": f"{cohort.name}; model made of: {site.model.training.get('data', 'not said')}",
            "data_fingerprint": site.fingerprint,
            "sensitivity": cohort.sensitivity,
            "licence": cohort.licence or "of the site",
        },
    )


def _not_applicable(fitted: Fitted) -> dict[str, str]:
    missing = {}
    if not described_in(fitted.site.model.training):
        missing["differences"] = NOT_TOLD
    if not fitted.outside:
        missing["refused"] = NOBODY
    if not fitted.update:
        missing["update"] = NO_UPDATE
    if not fitted.few:
        missing["local"] = TOO_FEW
    if not fitted.drift:
        missing |= {"drift": no_time(fitted), "cusum": no_time(fitted)}
    elif fitted.days_shifted:
        missing["cusum"] = shifted.reason(fitted.days_shifted)
    return missing


def _tables(fitted: Fitted, missing: dict[str, str]) -> dict[str, Table]:
    makers = {
        "patients": tables.patients,
        "refused": tables.refused,
        "performance": tables.performance,
        "groups": tables.groups,
        "calibration": tables.calibration,
        "update": tables.update,
        "local": tables.local,
        "drift": tables.drift,
    }
    return {name: make(fitted) for name, make in makers.items() if name not in missing}


def _write_updated(fitted: Fitted):
    """Writer of the updated model as a file, with what the released result says of it."""
    # in braces a name would be taken for that of a number
    site = fitted.site.cohort.name.replace("{", "").replace("}", "")

    def write(result: Result, path: Path) -> None:
        told = result.numbers
        model = fitted.site.model.recalibrated(
            told["intercept"].value, told["new_slope"].value, result.render(SAID.format(site=site))
        )
        here = {f"updated {name}": told[f"after_{name}"].value for name in TOLD}
        saved.write(path, replace(model, performance=model.performance | here))

    return write

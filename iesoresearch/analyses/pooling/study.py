"""How `pooling` is computed: load what sites released, check that it can be pooled, pool."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch import project
from iesoresearch.analyses import fairness
from iesoresearch.analyses.fairness import data as referrals
from iesoresearch.analyses.pooling import ZIP, Params, hashed, more_tables, site, tables
from iesoresearch.analyses.pooling.checks import checks
from iesoresearch.analyses.pooling.computed import Computed
from iesoresearch.analyses.pooling.drawn import Drawn, draw
from iesoresearch.analyses.pooling.sites import Site, Sites, agreed
from iesoresearch.analyses.pooling.words import FIGURES, numbers, text
from iesoresearch.data import locate, sources
from iesoresearch.disclosure import Policy
from iesoresearch.hashes import digest
from iesoresearch.params import Settings, site_runs
from iesoresearch.results import Check, Result, Table, Value

__all__ = ["load", "result", "run", "summary"]

TITLE = "Pooling of sites"
NOT_HERE = (
    "Not applicable: this site by itself. What it gives to a pool is in the table of coefficients "
    "and in its other runs."
)
_NEEDS_TWO = "Not applicable: fewer than two sites released it."
#: Tables that only two sites or more have, and which need which part.
OF_POOL = ("sites", "rates", "outcomes", "groups", "left_out", "cost", "performance")
OF_STATES = ("matched", "profiles", "state_shares", "moves")


@dataclass(frozen=True)
class Loaded:
    """What is pooled, or what this site gives.

    Attributes
    ----------
    name
        For titles.
    sites
        Those that agree with each other; None where this is one site by itself.
    drawn
        Where they were drawn.
    own
        Referrals of this site.
    """

    name: str
    sites: Sites | None = None
    drawn: Drawn | None = None
    own: referrals.Audited | None = None


def load(params: Params, settings: Settings) -> Loaded:
    """The sites that `params` name.

    Raises
    ------
    DataError
        Sites that cannot be pooled, see `sites.agreed`; or this site's tables are absent.
    DisclosureError
        A bundle is not let in, or would be told by what is left without the others.
    """
    if params.source == "folder":
        own = referrals.of_cohort(sources.from_folder(settings.search_path), fairness.Params())
        return Loaded(own.name, own=own)
    if params.source == "bundles":
        found = [_of_bundle(path, params, settings) for path in params.bundles]
        return Loaded(f"Bundles of {len(found)} sites", agreed(found))
    made = draw(params)
    return Loaded(f"{params.n_sites} drawn sites", agreed(made.sites), made)


def _of_bundle(path: str, params: Params, settings: Settings) -> Site:
    from iesoresearch.bundles import verify  # the only source that needs it

    where = locate.file_beside(hashed(path), settings.search_path)
    where = where if path.endswith(ZIP) else where.parent
    trusted = locate.file_beside(params.trusted, settings.search_path)
    # no looser than what may be shown where the pool is made
    home = project.find().params
    found = verify(where, Path(trusted), Policy.read(home / "disclosure.yaml"))
    said = found.manifest["runs"]
    # site-fairness is read as fairness, of which it is the run on a site's records
    of_site = {of["run"]: run for run, of in site_runs(home).items() if run in found.results}
    others = {run: run for run in found.results if run not in of_site.values()}
    named = others | of_site
    return Site(
        found.site,
        {name: found.results[run] for name, run in named.items()},
        found.sharing,
        {name: said[run]["parameters"] for name, run in named.items()},
        found.manifest["software"],
    )


def summary(data: Loaded) -> Table:
    """How many sites there are, and with which parts."""
    if data.sites is None:
        rows = {"referrals": data.own.rows.height}
        count = Value("count", "Number", 0, sensitivity=data.own.sensitivity)
    else:
        rows = {"sites": len(data.sites), "of these only in the pool": data.sites.n_hidden}
        count = Value("model", "Number", 0, sensitivity="open")
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    return Table(f"The data: {data.name}", frame, {"what": ""}, {"count": count})


def run(data: Loaded, params: Params) -> Result:
    """Everything that is pooled, or what this site gives to a pool.

    Raises
    ------
    DataError
        Fewer than two sites released outcomes.
    """
    if data.sites is None:
        return _of_this_site(data)
    return result(Computed(params, data.sites, data.drawn), data.name)


def _of_this_site(data: Loaded) -> Result:
    given = site.of_site(data.own)
    absent = dict.fromkeys((*OF_POOL, *OF_STATES, *FIGURES), NOT_HERE)
    shown = bool(given.tables)
    sentence = "The regression can be pooled." if shown else "Too few patients for the regression."
    words = {
        "plain": "What this site gives to a pool of sites, beside its other runs: one regression.",
        "reading": "Its coefficients and their covariance are all that a pool needs of it. Terms "
        "are numbers that everybody has; none marks a small group.",
        "limits": "By itself it says little: see the run of fairness.",
    }
    return Result(
        tables=given.tables,
        checks=[Check("this site can be pooled", "passed" if shown else "inconclusive", sentence)],
        text=words,
        not_applicable=absent | given.not_applicable,
        provenance=given.provenance | {"title": TITLE, "data": data.name, "licence": "of the site"},
    )


def result(found: Computed, name: str) -> Result:
    """What was found, for release."""
    made = {
        "sites": tables.sites(found),
        "rates": tables.rates(found),
        "outcomes": tables.outcomes(found),
        "cost": more_tables.cost(found),
    }
    absent = {"covariance": "Not applicable: of one site only."}
    if len(found.main) > 2:
        made["left_out"] = tables.left_out(found)
    else:
        absent["left_out"] = "Not applicable: of two sites, one without the other is no pool."
    if found.levels:
        made["groups"] = tables.groups(found)
    else:
        absent["groups"] = f"Not applicable: no site released {found.params.grouping}."
    if len(found.performance["auc"]) > 1:
        made["performance"] = more_tables.performance(found)
    else:
        absent["performance"] = _NEEDS_TWO
    if found.common is not None:
        made["coefficients"] = tables.coefficients(found)
    else:
        absent["coefficients"] = _NEEDS_TWO
    if found.states is not None:
        made |= {name: getattr(more_tables, name)(found) for name in OF_STATES}
    else:
        absent |= dict.fromkeys(OF_STATES, _NEEDS_TWO)
    return Result(
        tables=made,
        numbers=numbers(found),
        checks=checks(found),
        text=text(found),
        figures={name: spec for name, spec in FIGURES.items() if spec.table in made},
        not_applicable=absent,
        provenance={
            "title": TITLE,
            "data": name,
            "data_fingerprint": _fingerprint(found.sites),
            "sensitivity": found.sensitivity,
            "licence": "MIT" if found.drawn is not None else "of the sites",
        },
    )


def _fingerprint(sites: Sites) -> str:
    marks = sorted(
        f"{run} {found.provenance.get('data_fingerprint')}"
        for one, _ in sites
        for run, found in one.results.items()
    )
    return digest("\n".join(marks).encode())

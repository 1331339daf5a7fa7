"""Sites whose released results are pooled: whether they can be, and who may see which row."""

import hashlib
import hmac
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import itemgetter
from typing import Any, Literal

from iesoresearch.disclosure import Policy
from iesoresearch.errors import DataError, DisclosureError
from iesoresearch.results import Result

Sharing = Literal["named", "anonymous", "pooled only"]
NAMED, ANONYMOUS, HIDDEN = "named", "anonymous", "pooled only"
FEWEST_HIDDEN = 3  # of two, each could take itself off the pool and see the other
#: Runs that are read, by what is read of them.
COUNTS, REGRESSION, MODEL, STATES = "fairness", "pooling", "recovery-shipped", "subtypes"
RUNS = {
    COUNTS: "outcomes by group",
    REGRESSION: "a regression",
    MODEL: "a model judged",
    STATES: "states",
}
#: Parameters that say how much was drawn or computed, not what it means.
FREE = {
    *("source", "seed", "n_referrals", "n_patients", "n_starts", "n_bootstrap", "draws", "n_draws"),
    *("n_splits", "n_likelihood_ratio", "n_folds", "n_local", "profile", "population", "spread"),
    *("n_sites", "sharing", "bundles", "trusted", "predictions", "max_states", "n_states"),
}


@dataclass(frozen=True)
class Site:
    """What was released of one site.

    Attributes
    ----------
    name
        As the site calls itself; shown where it is shared as "named" only.
    results
        Released, by name of the run.
    sharing
        Who may see its own row.
    parameters
        Of each run.
    versions
        Of what it was computed with; the package by its name.
    """

    name: str
    results: Mapping[str, Result]
    sharing: Sharing = NAMED
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def policy(self, run: str) -> Policy:
        """Under which a result was released.

        Raises
        ------
        DisclosureError
            It was not released.
        """
        applied = self.results[run].provenance.get("disclosure")
        if applied is None:
            raise DisclosureError(
                f"The result {run} of a site has not passed disclosure control, so it is not "
                "pooled. Take results from a bundle."
            )
        unknown = set(applied) - {f.name for f in fields(Policy)}
        if unknown:
            raise DisclosureError(
                f"The result {run} of a site was released by rules that this version does not know "
                f"({', '.join(sorted(unknown))}), so what its counts mean is not known. Use the "
                "version of the package that the site has."
            )
        return Policy(**applied)


@dataclass(frozen=True)
class Sites:
    """Sites that agree with each other, and how each is called."""

    sites: tuple[Site, ...]
    labels: tuple[str | None, ...]

    def __iter__(self):
        return iter(zip(self.sites, self.labels, strict=True))

    def __len__(self) -> int:
        return len(self.sites)

    @property
    def n_hidden(self) -> int:
        """Sites without a row of their own."""
        return sum(label is None for label in self.labels)

    def having(self, run: str) -> list[tuple[Site, str | None]]:
        """Sites with a run that may be pooled, and their labels."""
        return visible([(s, label) for s, label in self if run in s.results], itemgetter(1))


def agreed(sites: Sequence[Site]) -> Sites:
    """`sites` with their labels, if they can be pooled.

    Raises
    ------
    DataError
        Fewer than two; two bundles of one site or of the same data; other definitions or other
        parameters of a run.
    DisclosureError
        A site that is only to be seen in the pool would be what is left without the others, or a
        result was not released.
    """
    sites = tuple(sites)
    if len(sites) < 2:
        raise DataError(f"A pool needs at least two sites; there is {len(sites) or 'none'}.")
    for site in sites:
        for run in site.results:
            site.policy(run)
    _refuse_twice(sites)
    _refuse_definitions(sites)
    _refuse_parameters(sites)
    _refuse_what_is_left(sites)
    labels = _labels(sites)
    order = _order(sites, labels)
    return Sites(tuple(sites[i] for i in order), tuple(labels[i] for i in order))


def _order(sites: tuple[Site, ...], labels: tuple[str | None, ...]) -> list[int]:
    """Named sites as they came, then letters, then the others: a place must not tell a name."""
    groups = {NAMED: 0, ANONYMOUS: 1, HIDDEN: 2}

    def place(i: int) -> tuple[int, str]:
        letter = (labels[i] or "") if sites[i].sharing == ANONYMOUS else ""
        return groups[sites[i].sharing], letter

    return sorted(range(len(sites)), key=place)


def visible[Item](items: Sequence[Item], label: Callable[[Item], str | None]) -> list[Item]:
    """Those that may be pooled together for one quantity.

    Where fewer than `FEWEST_HIDDEN` hidden sites have it, one of them would be what is left without
    the others: they are left out.

    Parameters
    ----------
    items
        One for each site that says something of the quantity.
    label
        Gives how the row of an item is called; None where it has none.
    """
    enough = sum(label(item) is None for item in items) >= FEWEST_HIDDEN
    return [item for item in items if label(item) is not None or enough]


def _refuse_twice(sites: tuple[Site, ...]) -> None:
    names = [site.name for site in sites]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"There are two bundles of {', '.join(twice)}: its patients would count twice. Leave "
            "the older one out."
        )
    seen: dict[tuple[str, str], str] = {}
    for site in sites:
        for run, result in site.results.items():
            mark = run, str(result.provenance.get("data_fingerprint"))
            other = seen.setdefault(mark, site.name)
            if other != site.name:
                raise DataError(
                    f"{run}: {other} and {site.name} were computed from the same data, so their "
                    "patients would count twice. Leave one of the bundles out."
                )


def _refuse_definitions(sites: tuple[Site, ...]) -> None:
    found = {
        str(site.results[REGRESSION].provenance.get("definitions"))
        for site in sites
        if REGRESSION in site.results
    }
    if len(found) > 1:
        versions = sorted({site.versions.get("iesoresearch", "not said") for site in sites})
        raise DataError(
            "The sites do not mean the same: the rules of outcomes or the terms of the regression "
            f"differ between their versions of the package ({', '.join(versions)}). Run all of "
            "them with one version."
        )


def _refuse_parameters(sites: tuple[Site, ...]) -> None:
    problems = []
    for run in RUNS:
        having = [site for site in sites if run in site.results]
        names = sorted({n for site in having for n in site.parameters.get(run, {})} - FREE)
        for name in names:
            values = {repr(site.parameters.get(run, {}).get(name)) for site in having}
            if len(values) > 1:
                problems.append(f"{run}: {name} is {' and '.join(sorted(values))}")
    if problems:
        raise DataError(
            f"The sites asked different questions: {'; '.join(problems)}. Run them again with the "
            "same parameters."
        )


def _refuse_what_is_left(sites: tuple[Site, ...]) -> None:
    hidden = sum(site.sharing == HIDDEN for site in sites)
    if 0 < hidden < FEWEST_HIDDEN:
        who = "One site is" if hidden == 1 else "Two sites are"
        raise DisclosureError(
            f"{who} only to be seen in the pool: pool less the others is that site, or what one of "
            f"the two can see of the other. Bring bundles until {FEWEST_HIDDEN} sites are only in "
            "the pool, or ask such a site to be shown as a letter."
        )


def _labels(sites: tuple[Site, ...]) -> tuple[str | None, ...]:
    """Names; letters in an order that only who has all bundles can work out; None where hidden."""
    marks = sorted(
        f"{run} {result.provenance.get('data_fingerprint')}"
        for site in sites
        for run, result in site.results.items()
    )
    key = hashlib.sha256("\n".join(marks).encode()).digest()

    def drawn(site: Site) -> bytes:
        return hmac.digest(key, site.name.encode(), "sha256")

    anonymous = sorted((s for s in sites if s.sharing == ANONYMOUS), key=drawn)
    letter = {s.name: f"Site {string.ascii_uppercase[i]}" for i, s in enumerate(anonymous)}
    named = {site.name: site.name for site in sites if site.sharing == NAMED}
    return tuple((letter | named).get(site.name) for site in sites)

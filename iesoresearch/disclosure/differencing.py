"""Differencing: what a release tells together with the earlier ones of the same site.

Of the same data, all tables are one linked system, whichever release they are of: an attacker adds
and subtracts across releases as she does within one, and what one release leaves of another was
guarded by none (outcomes that lie within each other, such as reliable recovery within recovery,
shown by group in two releases). Of other data, such as a later extract, the same cell stands for
almost the same people, and the difference tells of the few who came or left.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iesoresearch.disclosure import attack, changes, linked_review, nested
from iesoresearch.disclosure.findings import Finding
from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import STATUS, Result, Table

_NEW = "this release"
_ADVICE = (
    "Leave the table out, or the runs that changed since; what was released before cannot be taken "
    "back."
)


@dataclass(frozen=True)
class Earlier:
    """An earlier release of a site.

    Attributes
    ----------
    name
        Of the bundle.
    made
        When, as it says.
    results
        Released results by run.
    data
        Fingerprint of the data by run; without one, what the result says of it.
    """

    name: str
    made: str
    results: Mapping[str, Result]
    data: Mapping[str, str] = field(default_factory=dict)

    def fingerprint(self, run: str) -> str | None:
        """Of the data of a run; None where nothing says which they were."""
        return self.data.get(run) or fingerprint(self.results[run])


def fingerprint(result: Result) -> str | None:
    """Of the data that a result is of, as it says."""
    said = result.provenance.get("data_fingerprint")
    return None if said is None else str(said)


def compare(new: Mapping[str, Result], earlier: Sequence[Earlier], policy: Policy) -> list[Finding]:
    """What a release tells beside the earlier ones, and what its runs tell beside each other.

    Parameters
    ----------
    new
        Released results by run.
    earlier
        Of the same site, in any order.
    policy
        Of the new release.

    Returns
    -------
    list of Finding
        Of every run at least one, if there is anything to compare it with.
    """
    parts = _linked(new, earlier)
    found = [one for part in parts for one in _attacked(part, policy)]
    for before in earlier:
        found += [*_policies(new, before), *_removed(new, before)]
        for run in sorted(new.keys() & before.results.keys()):
            found += _changed(run, new[run], before)
    beside = {run: [one.name for one in earlier] for run in new} if earlier else {}
    for part in parts:
        for run, _ in filter(None, part.new.values()):
            beside.setdefault(run, [])
    judged = {one.run for one in found if one.rule in _RULES}
    return found + [
        Finding(run, "run", "pass", "differencing", "Nothing of few people is left between it and "
                "the other runs and releases of the site.",
                {"compared with": [*names, *_others(run, parts)]})
        for run, names in beside.items()
        if run not in judged
    ]  # fmt: skip


_RULES = ("differencing", "changed data", "groups within groups")


def _others(run: str, parts: Sequence["_Part"]) -> list[str]:
    """Other runs of the same release and data."""
    of = [{place[0] for place in part.new.values() if place} for part in parts]
    return sorted({other for runs in of if run in runs for other in runs} - {run})


@dataclass
class _Part:
    """Tables of one set of data, of several runs or releases, by a name of their own."""

    tables: dict[str, Table] = field(default_factory=dict)
    released: dict[str, Table] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    new: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    _seen: dict[tuple, changes.Seen] = field(default_factory=dict)

    def add(self, release: str, run: str, result: Result) -> None:
        """The tables of a run; with populations of their own where they count other people."""
        key = f"{run} of {release}"
        policy = self.policies[key] = policy_of(result)
        tables = {
            # a table of no population counts whom the same table of the same run does
            name: replace(table, population=table.population or f"{run}: {name}")
            for name, table in linked_review.attackable(result.tables).items()
        }
        counts = {
            (table.population, *cell): found
            for table in tables.values()
            for cell, found in changes.seen(table, policy).items()
        }
        if changes.contradicts(self._seen, counts):
            tables = {
                name: replace(table, population=f"{table.population} ({key})")
                for name, table in tables.items()
            }
        self._seen |= counts
        for name, table in tables.items():
            named = f"{key}: {name}"
            self.releases[named] = key
            self.new[named] = (run, name) if release == _NEW else None
            self.released[named], self.tables[named] = table, nested.declared(table)


def policy_of(result: Result) -> Policy:
    """What a result was released under, as it says; the usual where it says nothing sensible."""
    try:
        return Policy(**result.provenance.get("disclosure", {}))
    except TypeError:
        return Policy()


def _linked(new: Mapping[str, Result], earlier: Sequence[Earlier]) -> list[_Part]:
    """Tables that may be linked: of the same data, and of more than one run or release."""
    found: dict[str, list[tuple[str, str, Result]]] = defaultdict(list)
    for run, result in new.items():
        if (of := fingerprint(result)) is not None:
            found[of].append((_NEW, run, result))
    for before in earlier:
        for run, result in before.results.items():
            of = before.fingerprint(run)
            if of in found and not any(_same(run, result, one) for one in found[of]):
                found[of].append((before.name, run, result))
    parts = []
    for _, runs in sorted(found.items()):
        if len(runs) > 1:
            parts.append(_Part())
            for one in runs:
                parts[-1].add(*one)
    return parts


def _same(run: str, result: Result, other: tuple[str, str, Result]) -> bool:
    """Whether a run was released before as it is now."""
    _, name, again = other
    return (
        run == name
        and policy_of(result) == policy_of(again)
        and result.tables.keys() == again.tables.keys()
        and all(table.frame.equals(again.tables[n].frame) for n, table in result.tables.items())
    )


def _attacked(part: _Part, policy: Policy) -> list[Finding]:
    """What can be proved of all tables together, and not of their releases alone."""
    try:
        proved = _narrowed(part, list(part.tables), policy)
        alone = []
        for release in sorted(set(part.releases.values())) if proved else ():
            names = [name for name in part.tables if part.releases[name] == release]
            alone += [_plain(row) for row in _narrowed(part, names, policy)]
    except ValueError:
        return [
            Finding(run, "run", "review", "differencing", "Releases of the same data say what "
                    "cannot be so of the same people. Look whom each of them counts.")
            for run in sorted({place[0] for place in part.new.values() if place})
        ]  # fmt: skip
    found = defaultdict(list)
    for row in proved:
        if _plain(row) not in alone:
            for place in _places(row, part):
                found[place].append(row)
    return [_of_table(place, rows, part, policy) for place, rows in sorted(found.items())]


def _narrowed(part: _Part, names: list[str], policy: Policy) -> list[dict]:
    knowledge = attack.Knowledge(
        releases={name: part.releases[name] for name in names},
        policies=part.policies,
        released={name: part.released[name] for name in names},
    )
    tables = {name: part.tables[name] for name in names}
    return attack.narrowed(tables, policy, knowledge).narrowed.to_dicts()


def _plain(row: dict) -> dict:
    return {name: said for name, said in row.items() if name != "tables"}


def _places(row: dict, part: _Part) -> set[tuple[str, str]]:
    """Tables of this release that take part; or its runs, where all of them are earlier ones."""
    own = {
        (run, f"table:{name}") for n in row["tables"] if part.new[n] for run, name in [part.new[n]]
    }
    return own or {(place[0], "run") for place in part.new.values() if place}


def _of_table(place: tuple[str, str], rows: list[dict], part: _Part, policy: Policy) -> Finding:
    few = linked_review.proved_few(rows, policy)
    names = {name for row in rows for name in row["tables"]}
    evidence = linked_review.evidence_of(few or rows, policy)
    evidence["together with"] = sorted({part.releases[name] for name in names})
    if few:
        return Finding(*place, "refuse", "differencing", "Together with other runs or releases of "
                       "the same data it proves of few people more than that they are few: counts "
                       f"are suppressed in one and told by another, or subtracted. {_ADVICE}",
                       evidence)  # fmt: skip
    return Finding(*place, "review", "differencing", "Between it and other runs or releases of the "
                   "same data there may be few people: look at the differences.",
                   evidence)  # fmt: skip


def _policies(new: Mapping[str, Result], before: Earlier) -> Iterator[Finding]:
    for run in sorted(new.keys() & before.results.keys()):
        now, then = policy_of(new[run]), policy_of(before.results[run])
        if now != then:
            yield Finding(run, "run", "review", "policy changed", "Released under other rules "
                          f"than in {before.name}: one may tell what the other withholds.",
                          {"now": now.applied, "then": then.applied})  # fmt: skip


def _removed(new: Mapping[str, Result], before: Earlier) -> Iterator[Finding]:
    for run in sorted(before.results.keys() - new.keys()):
        yield Finding(run, "run", "review", "run removed", f"It was in {before.name} and is not in "
                      "this release. What was said stays known; say why it is gone.",
                      {"released": before.made})  # fmt: skip


def _changed(run: str, result: Result, before: Earlier) -> Iterator[Finding]:
    """Cell by cell: of other data, and of the same where other people were counted."""
    old = before.results[run]
    now, then = policy_of(result), policy_of(old)
    same_data = fingerprint(result) is not None and fingerprint(result) == before.fingerprint(run)
    for name in sorted(result.tables.keys() & old.tables.keys()):
        pair = result.tables[name], old.tables[name]
        if list(pair[0].keys) != list(pair[1].keys) or any(
            STATUS not in table.frame.columns for table in pair
        ):
            continue
        other = not same_data or changes.contradicts(
            changes.seen(pair[0], now), changes.seen(pair[1], then)
        )
        found = changes.same_cells(*pair, now, then) if other else []
        yield from _counted(run, name, "changed data", found, before, now)
        if same_data:
            within = changes.nested_rows(*pair, now, then)
            yield from _counted(run, name, "groups within groups", within, before, now)


_CHANGED = {
    "refuse": "few people certainly stand behind the difference. Wait until there are more, or "
    "leave the table out.",
    "review": "few people may stand behind the difference: look at it.",
}


def _counted(
    run: str, name: str, rule: str, found: list[changes.Change], before: Earlier, policy: Policy
) -> Iterator[Finding]:
    """The differences of a table, counted by column; those of shown cells are named."""
    for status, sentence in _CHANGED.items():
        those = [one for one in found if one.status(policy) == status]
        if not those:
            continue
        evidence = {
            "cells by column": dict(Counter(one.column for one in those)),
            "kinds": dict(Counter(one.kind for one in those)),
            "compared": len(found),
            "compared with": [before.name],
        }
        yield Finding(run, f"table:{name}", status, rule, f"Beside {before.name}: {sentence}",
                      evidence)  # fmt: skip
        break

"""Differencing: what a release tells together with the earlier ones of the same site.

Of the same data, all tables are one linked system, whichever release they are of: an attacker adds
and subtracts across releases as she does within one, and what one release leaves of another was
guarded by none (outcomes that lie within each other, such as reliable recovery within recovery,
shown by group in two releases). Of other data, such as a later extract, the same cell stands for
almost the same people, and the difference tells of the few who came or left
(`iesoresearch.disclosure.between`). A fingerprint is other after one byte: so tables of other data
are linked as well, unless enough people certainly came or left.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from iesoresearch.disclosure import attack, between, changes, linked_review, nested
from iesoresearch.disclosure.findings import Finding
from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import Result, Table

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
    found: list[Finding] = []
    for before in earlier:
        compared = between.compare(_tables(new), _tables(before.results, before), before.name)
        found += [*_policies(new, before), *_removed(new, before), *compared.findings]
        parts += _almost(new, before, compared.many)
    found = [*(one for part in parts for one in _attacked(part, policy)), *found]
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


def _tables(results: Mapping[str, Result], before: Earlier | None = None) -> list[between.Placed]:
    """Released tables with where they stand, their policy and their data."""
    return [
        between.Placed(
            run,
            name,
            table,
            policy_of(result),
            fingerprint(result) if before is None else before.fingerprint(run),
        )
        for run, result in results.items()
        for name, table in result.tables.items()
        if between.is_compared(table)
    ]


_RULES = ("differencing", "changed data", "groups within groups")


def _others(run: str, parts: Sequence["_Part"]) -> list[str]:
    """Other runs of the same release and data."""
    of = [{place[0] for place in part.new.values() if place} for part in parts]
    return sorted({other for runs in of if run in runs for other in runs} - {run})


@dataclass
class _Part:
    """Tables of one set of data, of several runs or releases, by a name of their own.

    `almost` says that they are of other data, and of the same people but for a few: then counts of
    an earlier release may be off by `slack`.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    released: dict[str, Table] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    new: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    almost: bool = False
    slack: int = 0
    _seen: dict[tuple, changes.Seen] = field(default_factory=dict)

    def add(self, release: str, run: str, result: Result) -> None:
        """The tables of a run; with populations of their own where they count other people."""
        key = f"{run} of {release}"
        policy = policy_of(result)
        if release != _NEW and self.slack:
            policy = _Slack(**asdict(policy), slack=self.slack)
        self.policies[key] = policy
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

    def sides(self) -> list[list[str]]:
        """Tables that were linked with each other before: of a run, or of a release of its own."""
        found = defaultdict(list)
        for name in self.tables:
            side = self.new[name] is None if self.almost else self.releases[name]
            found[side].append(name)
        return [found[side] for side in sorted(found)]


@dataclass(frozen=True)
class _Slack(Policy):
    """A policy, of counts that may have changed by a few since."""

    slack: int = 0

    def shown_as(self, shown: int) -> tuple[int, int]:
        low, high = super().shown_as(shown)
        return max(low - self.slack, 0), high + self.slack


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


def _almost(new: Mapping[str, Result], before: Earlier, many: between.Many) -> list[_Part]:
    """Tables of other data that may count the same people but for a few."""
    groups: dict[tuple, list[str]] = defaultdict(list)
    for run, result in new.items():
        of = fingerprint(result)
        groups[of, run if of is None else ""].append(run)
    parts = []
    for (of, _), runs in groups.items():
        now = [(_NEW, run, new[run]) for run in runs]
        then = defaultdict(list)
        for run, result in before.results.items():
            data = before.fingerprint(run)
            known = any(_same(run, result, one) for one in now)
            if not known and (data is None or data != of):
                then[data].append((before.name, run, result))
        for data, olds in then.items():
            if not many.get((of, data)):
                slack = between.slack([r for *_, r in now], [r for *_, r in olds], policy_of)
                parts.append(_Part(almost=True, slack=slack))
                for one in (*now, *olds):
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
        for names in part.sides() if proved else ():
            alone += [_plain(row) for row in _narrowed(part, names, policy)]
    except ValueError:
        of = "almost the same people" if part.almost else "the same data"
        return [
            Finding(run, "run", "review", "differencing", f"Releases of {of} say what "
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
    of = "of almost the same people" if part.almost else "of the same data"
    beside = f"other runs or releases {of}"
    if few and not part.slack:
        return Finding(*place, "refuse", "differencing", f"Together with {beside} it proves of few "
                       "people more than that they are few: counts are suppressed in one and told "
                       f"by another, or subtracted. {_ADVICE}", evidence)  # fmt: skip
    return Finding(*place, "review", "differencing", f"Between it and {beside} there may be few "
                   "people: look at the differences.", evidence)  # fmt: skip


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

"""What a case file says, once it has been checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from iesoresearch.models.cases.distributions import Distribution
from iesoresearch.models.cases.expressions import Expression
from iesoresearch.models.cases.quantities import Unit
from iesoresearch.models.cases.tables import Table
from iesoresearch.models.markov_cohort import Duration


@dataclass(frozen=True)
class Source:
    """Where a model was published.

    Attributes
    ----------
    citation, doi, licence
        As given; empty if not.
    more
        Other things said of it: repository, commit, PubMed number, note.
    """

    citation: str = ""
    doi: str = ""
    licence: str = ""
    more: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Cell:
    """An expression and where it stands."""

    expression: Expression
    place: str

    @property
    def constant(self) -> bool:
        """Whether it reads no variable."""
        return not self.expression.names


@dataclass(frozen=True, eq=False)
class Parameter:
    """A named number or expression.

    Attributes
    ----------
    cell
        Its value.
    unit
        As given; None if not.
    distribution
        For probabilistic analysis; None if it is not drawn.
    source
        Where the value is from; empty: as the case.
    """

    name: str
    cell: Cell
    unit: Unit | None = None
    distribution: Distribution | None = None
    source: str = ""


@dataclass(frozen=True, eq=False)
class Joint:
    """Parameters that are drawn together.

    Attributes
    ----------
    kind
        "multinormal" or "dirichlet".
    mean
        Or the counts.
    covariance
        None for counts.
    """

    name: str
    kind: str
    names: tuple[str, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True, eq=False)
class Discount:
    """How a reward is discounted: factor (1 + rate)^-(exponent × cycle / per).

    Attributes
    ----------
    rate, exponent
        The exponent is in cycles, and reads `t`.
    per
        What the rate is per.
    factor
        Of `t`, in place of all that.
    """

    rate: Cell | None
    per: Duration
    exponent: Cell
    factor: Cell | None = None


@dataclass(frozen=True, eq=False)
class RewardSpec:
    """What is counted, and how.

    Attributes
    ----------
    kind
        "cost", "effect" or "other" (reported, in no ratio).
    per
        Time that the values of states are for.
    values
        By state.
    transitions
        (from, to, worth) per move; None as from or to means any other state.
    once
        Paid at time 0.
    count
        Convention, or the weights of the points.
    transition_count
        "end", "start" or "with states".
    lower_is_better
        Of an effect that is to be avoided.
    qaly
        Whether it is measured in QALYs, so that no value may exceed the length of a cycle.
    """

    name: str
    kind: str
    place: str
    per: Duration | None = None
    values: dict[str, Cell] = field(default_factory=dict)
    transitions: tuple[tuple[str | None, str | None, Cell], ...] = ()
    once: Cell | None = None
    count: str | tuple[float, ...] = "start"
    transition_count: str = "end"
    discount: Discount | None = None
    lower_is_better: bool = False
    qaly: bool = False


@dataclass(frozen=True, eq=False)
class StrategySpec:
    """A strategy: what differs from the base.

    Attributes
    ----------
    parameters
        That replace those of the base.
    transitions
        A definition (see `matrices`); None if it is that of the base.
    start
        By state; None if it is that of the base.
    outcomes
        Of a case that only holds costs and effects: value by reward.
    """

    name: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    transitions: Any = None
    start: dict[str, Cell] | None = None
    outcomes: dict[str, Cell] = field(default_factory=dict)
    tree: Any = None


@dataclass(frozen=True)
class Clock:
    """States that share a clock, and how many cycles of residence it tells apart."""

    states: tuple[str, ...]
    length: int


@dataclass(frozen=True)
class Group:
    """A part of the people, with its own values of parameters."""

    name: str
    share: float
    values: dict[str, float]


@dataclass(frozen=True)
class Sampling:
    """Of a probabilistic analysis or a microsimulation: how many, and the seed."""

    size: int
    seed: int


@dataclass(frozen=True, eq=False)
class Expected:
    """A published number.

    Attributes
    ----------
    quantity
        In words, such as "cost of B".
    key
        What to look up (see `compare`).
    tolerance
        Absolute.
    """

    quantity: str
    key: tuple[Any, ...]
    value: float | str | tuple[str, ...]
    tolerance: float | None
    place: str


@dataclass(frozen=True, eq=False)
class Finding:
    """What the checks of units and plausibility say of a model.

    Attributes
    ----------
    code
        Short name, such as "discount-period" (list in ``params/cases/README.md``).
    blocking
        Whether no result is given unless the case expects the finding.
    place
        Where in the file.
    text
        What is wrong, and what would be right.
    """

    code: str
    blocking: bool
    place: str
    text: str


@dataclass(frozen=True, eq=False)
class Case:
    """A model entered as data. Made by `parse`; run by `run`.

    Attributes
    ----------
    name
        Of the file.
    id, title, kind
        Kind is "markov_cohort", "decision_tree", "frontier" or "value_of_information".
    complete, not_found
        An incomplete case lists what was not found; only its `checks` are computed.
    source, currency, price_year
        As given.
    people, wtp
        Size of the cohort that totals are for, and what a unit of effect is worth.
    cycle, cycles, start_age
        Of a cohort model.
    states, clocks, start, transitions, matrices
        Of a cohort model; clocks are groups of states.
    parameters, joints, tables
        By name.
    rewards
        In the order of the file.
    strategies
        In the order of the file; the first is the reference.
    expected
        Published numbers.
    checks
        Named expressions of parameters, with what they should give.
    questions
        Of a value-of-information case: (what is asked, mean, standard deviation) of a normal
        difference in net benefit.
    findings
        What the checks of units and plausibility say.
    findings_expected
        Codes that a negative fixture must show; they do not stop it.
    psa, microsimulation, individuals
        Sizes and seeds; `individuals` are distributions of people's own values.
    groups
        Parts of the people; totals and traces are their mean by share.
    variants
        The same model with changes and its own expected numbers.
    """

    name: str
    id: str
    title: str
    kind: str
    complete: bool
    not_found: tuple[str, ...]
    source: Source
    currency: str = ""
    price_year: str = ""
    people: float = 1.0
    wtp: float = float("nan")
    cycle: Duration | None = None
    cycles: int = 0
    start_age: Cell | None = None
    states: tuple[str, ...] = ()
    clocks: tuple[Clock, ...] = ()
    start: dict[str, Cell] | None = None
    transitions: Any = None
    matrices: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    joints: tuple[Joint, ...] = ()
    tables: dict[str, Table] = field(default_factory=dict)
    rewards: tuple[RewardSpec, ...] = ()
    strategies: tuple[StrategySpec, ...] = ()
    expected: tuple[Expected, ...] = ()
    checks: dict[str, Cell] = field(default_factory=dict)
    questions: dict[str, tuple[str, Cell, Cell]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    findings_expected: tuple[str, ...] = ()
    psa: Sampling | None = None
    microsimulation: Sampling | None = None
    individuals: dict[str, Distribution] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    variants: dict[str, Case] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the strategies."""
        return tuple(strategy.name for strategy in self.strategies)

    def clock(self, state: str) -> int:
        """How many cycles of residence a state tells apart; 1 without a clock."""
        return next((clock.length for clock in self.clocks if state in clock.states), 1)

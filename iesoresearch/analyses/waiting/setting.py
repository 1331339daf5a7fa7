"""What a run assumes, said wherever its numbers are read: with every title and every caption."""

from dataclasses import replace

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.results import FigureSpec, Table

#: Parts of the setting, in their order.
PRICES, RECOVERY, INSTRUMENT, HORIZON, DRAWS, EFFECT = (
    "prices", "recovery", "instrument", "horizon", "draws", "effect"
)  # fmt: skip
#: Tables, and figures drawn from them, that vary a part of the setting or do not rest on it.
WITHOUT = {
    "verdict": {EFFECT},
    "health_lost": {PRICES, INSTRUMENT},
    "scenarios": {RECOVERY, INSTRUMENT, HORIZON, DRAWS, EFFECT},
    "tornado": {DRAWS},
    "two_way": {DRAWS},
    "validity": {PRICES, RECOVERY, INSTRUMENT, HORIZON, EFFECT},
}
#: Tables of what goes in, or of what was published: no setting changes them.
GIVEN = (
    "waits",
    "inputs",
    "assumptions",
    "month",
    "net_benefits",
    "queue_fit",
    "queue_service",
    "queue",
    "queue_waits",
    "queue_assumptions",
)


def setting(computed: Computed, leave=frozenset()) -> str:
    """Prices, recovery, utilities, horizon, draws and effect of a run, but those to `leave`."""
    params = computed.params
    years = sorted({x.price_year for x in computed.data.inputs if x.price_year})
    found = {
        PRICES: f"£ of {' and '.join(years)}",
        RECOVERY: f"recovery: {_by_condition(_recoveries(computed))}",
        INSTRUMENT: _by_condition({c: computed.instrument(c) for c in computed.base}),
        HORIZON: f"{params.horizon_weeks} weeks",
        DRAWS: f"{params.n_draws:,} draws",
        EFFECT: params.effect,
    }
    return "; ".join(said for name, said in found.items() if name not in leave)


def _recoveries(computed: Computed) -> dict[str, str]:
    return {c: model_of(c, computed.params).recovery for c in computed.base}


def _by_condition(found: dict[str, str]) -> str:
    """The same for all, or the first with what differs."""
    first, *_ = found.values()
    other = [f"{condition} {said}" for condition, said in found.items() if said != first]
    return f"{first} ({', '.join(other)})" if other else first


def with_setting(tables: dict[str, Table], computed: Computed) -> dict[str, Table]:
    """Every table with the setting in its title, but those that are given."""
    return {
        name: table
        if name in GIVEN
        else replace(table, title=f"{table.title} [{setting(computed, WITHOUT.get(name, ()))}]")
        for name, table in tables.items()
    }


def captioned(specs: dict[str, FigureSpec], computed: Computed) -> dict[str, FigureSpec]:
    """Every figure with the setting at the end of its caption."""
    return {
        name: spec
        if spec.table in GIVEN
        else replace(
            spec,
            caption=f"{spec.caption} [{setting(computed, WITHOUT.get(spec.table, ()))}]",
        )
        for name, spec in specs.items()
    }

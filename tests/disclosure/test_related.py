"""Counts that tables say are made of counts of other tables, by hand."""

import re

import polars as pl
import pytest

from iesoresearch.disclosure import Policy, attack, linking, release
from iesoresearch.results import Result, Table, Value, relate

EXACT = Policy(10, 1)  # rounding alone would leave enough doubt here


def table(title, key, rows, column="n"):
    frame = pl.DataFrame({key: list(rows), column: list(rows.values())})
    return Table(title, frame, {key: key}, {column: Value("count", column, 0)})


def tables():
    """600 people: 596 by one reason and 4 by another; 300 by way, told again elsewhere."""
    return {
        "who": table("Who", "group", {"all": 600}),
        "why": table("Why", "reason", {"a": 341, "b": 255, "c": 4}),
        "how": table("How", "way", {"first": 255, "second": 345}),
    }


def at(name, row, column="n"):
    return name, column, (row,)


def shown(found, name):
    frame = found.tables[name].frame
    return dict(frame.select(frame.columns[0], frame.columns[1]).iter_rows())


def released(*relations, policy=EXACT):
    return release(Result(tables=relate(tables(), relations)), policy)


ADDS_UP = (at("who", "all"), (at("why", "a"), at("why", "b"), at("why", "c")), True)


def test_a_small_part_takes_another_with_it_where_they_add_up_to_a_count_elsewhere():
    assert shown(released(), "why") == {"a": 341, "b": 255, "c": None}
    assert shown(released(ADDS_UP), "why") == {"a": 341, "b": None, "c": None}
    # rounded to 5 the others leave 0 to 11, whatever is known to add up
    rounded = released(ADDS_UP, policy=Policy(10, 5))
    assert shown(rounded, "why") == {"a": 340, "b": 255, "c": None}


def test_a_count_that_is_hidden_is_hidden_wherever_it_stands_by_another_name():
    same = (at("why", "b"), (at("how", "first"),), True)
    assert shown(released(ADDS_UP), "how") == {"first": 255, "second": 345}
    found = released(ADDS_UP, same)
    assert (shown(found, "why")["a"] is None) != (shown(found, "why")["b"] is None)
    assert (shown(found, "why")["b"] is None) == (shown(found, "how")["first"] is None)


def test_a_remainder_of_few_is_hidden_as_a_part_of_few_is():
    part = table("Part", "part", {"a or b": 596})
    inside = (at("who", "all"), (at("part", "a or b"),), False)
    found = release(Result(tables=relate(tables() | {"part": part}, [inside])), EXACT)
    assert None in (shown(found, "part")["a or b"], shown(found, "who")["all"])


def test_an_attacker_who_knows_the_relations_finds_what_was_not_declared():
    found = released(ADDS_UP).tables
    assert attack.narrowed(linking.linked(found), EXACT).narrowed.is_empty()
    undeclared = relate(dict(released().tables), [ADDS_UP])
    narrowed = attack.narrowed(undeclared, EXACT).narrowed
    assert narrowed.select("low", "high").rows() == [(4, 4)]


def test_relations_of_tables_that_are_not_there_are_left_out():
    made = relate({"who": tables()["who"]}, [ADDS_UP])
    assert made["who"].related == ()


@pytest.mark.parametrize("wrong", [at("why", "d"), at("why", "a", "rate")])
def test_a_relation_to_a_count_that_is_not_there_is_an_error_of_the_program(wrong):
    related = relate(tables(), [(at("who", "all"), (at("why", "a"), wrong), True)])
    _, column, row = wrong
    said = f"Table 'Who' is related to a count that table 'Why' has not: {column!r} of {row}."
    with pytest.raises(ValueError, match=re.escape(said)):
        release(Result(tables=related), EXACT)


def test_a_relation_that_does_not_hold_is_an_error_of_the_program():
    related = relate(tables(), [(at("who", "all"), (at("why", "a"), at("why", "b")), True)])
    with pytest.raises(ValueError, match="does not add up: 596 for a whole of 600"):
        release(Result(tables=related), EXACT)

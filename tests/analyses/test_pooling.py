"""The joint analysis is found again; nobody is told by what is left; what cannot be is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy import special

from iesoresearch import project
from iesoresearch.analyses.fairness import Params as Audit
from iesoresearch.analyses.fairness import outcomes
from iesoresearch.analyses.pooling import (
    Params,
    bounds,
    computed,
    drawn,
    more_tables,
    site,
    study,
    tables,
    words,
)
from iesoresearch.analyses.pooling.sites import COUNTS, MODEL, REGRESSION, STATES, Site, agreed
from iesoresearch.disclosure import Policy, attack, release
from iesoresearch.errors import DataError, DisclosureError, ParameterError
from iesoresearch.execution import session
from iesoresearch.execution.display import PATIENTS
from iesoresearch.models.pooling import rare
from iesoresearch.models.pooling.counts import total
from iesoresearch.params import Settings
from iesoresearch.results import SUPPRESSED, Result

EXACT = Policy(round_to=1)
POLICIES = (Policy(), Policy(min_count=15, round_to=10), Policy(min_count=7, round_to=7))
MAIN, AT = "reliable_recovery", "at_caseness"


@pytest.fixture(scope="module")
def ten():
    """Ten drawn sites, their records, and what they release of counts and regressions."""
    params = Params(n_sites=10, n_referrals=3000, grouping="Gender", spread=0.3, seed=4)
    return drawn.draw(params)


def released(made, policy, sharing=None):
    """Sites with counts and regressions only."""
    sharing = sharing or {}
    return [
        Site(
            drawn.name_of(i),
            {
                COUNTS: release(drawn.counts_of(data), policy),
                REGRESSION: release(site.of_site(data), policy),
            },
            sharing.get(i, "named"),
            {COUNTS: {"outcome": MAIN}},
            {"iesoresearch": "1"},
        )
        for i, data in enumerate(made.audited)
    ]


@pytest.fixture(scope="module")
def sites(ten):
    return released(ten, Policy())


@pytest.fixture(scope="module")
def pooled(ten, sites):
    return computed.Computed(ten.params, agreed(sites), ten)


# The joint analysis


def test_counts_and_rates_of_two_sites_are_exactly_those_of_all_records(ten):
    """The largest two, without rounding: nothing is suppressed of what is compared."""
    two = drawn.Drawn(ten.params, (ten.cohorts[0], ten.cohorts[6]), ten.shifts[:2])
    a, b = released(two, EXACT)
    both = replace(two.audited[0], rows=pl.concat([data.rows for data in two.audited]))
    joint = release(Result(tables={"outcomes": outcomes.outcomes(both)}), EXACT).tables["outcomes"]
    for outcome, denominator in computed.OUTCOMES.items():
        rows = [
            bounds.proportions(one.results[COUNTS].tables, EXACT, outcome, denominator)[bounds.ALL]
            for one in (a, b)
        ]
        events, n = (total(getattr(row, name) for row in rows) for name in ("events", "n"))
        assert events.is_exact, outcome
        assert n.is_exact
        assert (events.low, n.low) == joint.frame.select(outcome, denominator).row(0)
        assert 100 * (events.low / n.low) == joint.frame[f"{outcome}_rate"].item()


def test_coefficients_are_within_a_tenth_of_an_error_of_those_of_all_records(ten, pooled):
    """Each of all sites that release a regression, and of two of them."""
    two = drawn.Drawn(ten.params, (ten.cohorts[0], ten.cohorts[6]), ten.shifts[:2])
    of_two = computed.Computed(ten.params, agreed(released(two, Policy())), two)
    for found, k in ((pooled, len(pooled.regressions)), (of_two, 2)):
        assert found.common.sites.tolist() == [k] * len(site.TERMS)
        joint = found.joint_fit
        for name, value in zip(found.common.names, found.common.values, strict=True):
            coefficient, error = joint[name]
            assert abs(value - coefficient) < 0.1 * error, name


def test_joint_counts_lie_inside_what_rounding_and_suppression_leave(ten):
    """Of every site, group and outcome, under three policies; often not known exactly."""
    ranged = 0
    for i, data in enumerate(ten.audited[2:6]):
        policy = [Policy(), Policy(min_count=15, round_to=10), Policy(min_count=7, round_to=7)][
            i % 3
        ]
        shown = release(drawn.counts_of(data), policy).tables
        for outcome, denominator in computed.OUTCOMES.items():
            found = bounds.proportions(shown, policy, outcome, denominator)
            for (grouping, level), row in found.items():
                rows = data.closed
                if grouping != bounds.ALL[0]:
                    rows = rows.filter(pl.col(grouping) == level)
                assert int(rows[outcome].sum()) in row.events.values()
                assert row.n.low <= rows[denominator].sum() <= row.n.high
                ranged += len(row.events.ranges) == 2 or row.events.high - row.events.low > 15
    assert ranged > 15


def test_bounds_are_no_narrower_than_what_an_attacker_proves(ten):
    """Integer programmes over the same tables: what they leave open we leave open."""
    shown = release(drawn.counts_of(ten.audited[2]), Policy()).tables
    found = bounds.proportions(shown, Policy(), MAIN, AT)
    proved = attack.ranges(shown, Policy()).filter(pl.col("rest_of").is_null())
    compared = 0
    for (grouping, level), row in found.items():
        rows = proved.filter(row=f"grouping {grouping}, level {level}")
        for column, count in ((MAIN, row.events), (AT, row.n)):
            for low, high in rows.filter(column=column).select("low", "high").iter_rows():
                assert count.low <= low
                assert high is None or high <= count.high
                compared += 1
    assert compared > 5


def test_a_suppressed_site_still_counts(ten, pooled):
    """A group that some sites suppress is pooled over all that say something of it."""
    rows = [row for level in pooled.levels for row in pooled.group(level)]
    assert any(row.is_suppressed and row.says_something for row in rows)
    said = pooled.main
    assert all(row.says_something for row in said)
    exact = [rare.Proportion(*(bounds.Count.exact(int(d.closed[c].sum())) for c in (MAIN, AT)))
             for d in ten.audited]  # fmt: skip
    known, ranged = rare.proportion(exact), pooled.rates[MAIN]
    assert known.low < ranged.estimate < known.high
    assert ranged.k == 10


# A known truth


def test_the_planted_average_and_spread_are_found(ten, pooled):
    found = pooled.rates[MAIN]
    assert found.low <= ten.mean <= found.high
    assert 0 < found.tau_low <= ten.params.spread <= found.tau_high


def test_a_further_site_is_where_it_is_predicted(ten, pooled):
    """Further sites of the planted distribution lie inside as often as said, or more."""
    found = pooled.rates[MAIN]
    new = np.random.default_rng(1).normal(ten.mean, ten.params.spread, 4000)
    inside = (found.predicted_low <= new) & (new <= found.predicted_high)
    assert inside.mean() > 0.9


def test_thinning_plants_what_it_says(ten):
    """The odds of the thinned cohort over those of the cohort are the planted factor."""
    cohort = drawn._drawn(3000, 1, "test")
    before, after = (
        drawn.referrals.of_cohort(c, Audit()).rows[MAIN].drop_nulls()
        for c in (cohort, drawn.thinned(cohort, -0.7, 5))
    )
    moved = special.logit(after.mean()) - special.logit(before.mean())
    n = before.sum()
    assert moved == pytest.approx(-0.7, abs=3 * np.sqrt((1 - np.exp(-0.7)) / n / np.exp(-0.7)))


# Who may see what


def labels(sharing):
    names = [f"North {i}" for i in range(len(sharing))]
    empty = {"disclosure": {"min_count": 10, "round_to": 5}}
    made = [
        Site(name, {STATES: Result(provenance=empty | {"data_fingerprint": name})}, kind)
        for name, kind in zip(names, sharing, strict=True)
    ]
    return agreed(made)


def test_letters_and_places_tell_no_name():
    kinds = ["anonymous", "named", "anonymous", *["pooled only"] * 3, "anonymous"]
    found = labels(kinds)
    assert found.labels == ("North 1", "Site A", "Site B", "Site C", None, None, None)
    assert {one.name for one, label in found if (label or "").startswith("Site")} == {
        *("North 0", "North 2", "North 6")
    }


def test_the_order_of_letters_hangs_on_what_only_who_has_all_bundles_knows():
    def order(key):
        kind = ["anonymous"] * 3
        made = [
            replace(one, results={STATES: replace(r, provenance=r.provenance | {
                "data_fingerprint": key + one.name})})
            for one, _ in labels(kind) for r in one.results.values()
        ]  # fmt: skip
        return tuple(one.name for one, _ in agreed(made))

    assert order("a") == order("a")
    assert len({order(str(key)) for key in range(12)}) > 2


@pytest.mark.parametrize(
    ("sharing", "words"),
    [
        (["named", "pooled only"], "One site is only to be seen in the pool"),
        (["pooled only", "pooled only"], "what one of the two can see of the other"),
        (["named", "named", "anonymous", "pooled only"], "pool less the others is that site"),
        (["named", "named", "pooled only", "pooled only"], "Two sites are only to be seen"),
    ],
)
def test_a_site_that_would_be_what_is_left_is_refused(sharing, words):
    with pytest.raises(DisclosureError, match=words):
        labels(sharing)


def test_hidden_sites_have_no_row_anywhere(ten, sites):
    """And of a quantity that only two of them have, nothing of them is in the pool."""
    kinds = ["pooled only", "pooled only", "anonymous", "named", "pooled only"]
    hidden = [replace(one, sharing=kind) for one, kind in zip(sites[:5], kinds, strict=True)]
    hidden[0] = replace(hidden[0], results={COUNTS: hidden[0].results[COUNTS]})  # no regression
    found = computed.Computed(ten.params, agreed(hidden), None)
    made = [make(found) for make in (tables.sites, tables.rates, tables.left_out)]
    shown = {str(cell) for table in made for column in table.keys for cell in table.frame[column]}
    assert not shown & {"Site 1", "Site 2", "Site 3"}
    assert {"Site A", "Site 4"} <= shown
    assert "3 sites, only in the pool" in shown
    with_regression = [
        one for one, _ in found.sites if site.read(one.results.get(REGRESSION, Result()))
    ]
    assert len(with_regression) > len(found.regressions)
    assert None not in [label for label, _ in found.regressions]
    assert made[1].frame["weight"].sum() < 199  # shown ones, and all


EVERYTHING = rare.Proportion(bounds.Count.between(0, 50), bounds.Count.between(50, 50))
KNOWN = rare.Proportion(bounds.Count.exact(20), bounds.Count.exact(50))
GROUP = ("Gender", "Female")


def of_counts(pooled, *sited):
    """Sites with these counts of everybody and of a group; the last ones hidden, without a row."""
    found = computed.Computed(pooled.params, pooled.sites, None)
    counts = [
        (f"North {i}", label, {bounds.ALL: everybody, GROUP: group})
        for i, (label, everybody, group) in enumerate(sited)
    ]
    found.__dict__["counts"] = dict.fromkeys(computed.OUTCOMES, counts)
    return found


@pytest.mark.parametrize("silent", [0, 1, 3])
@pytest.mark.parametrize("telling", [0, 1, 2])
def test_too_few_telling_hidden_sites_take_all_hidden_ones_with_them(pooled, silent, telling):
    """Joint less named would be the telling ones, however many that say nothing stand by."""
    hidden = [(None, KNOWN, KNOWN)] * telling + [(None, EVERYTHING, EVERYTHING)] * silent
    found = of_counts(pooled, ("A", KNOWN, KNOWN), ("B", EVERYTHING, KNOWN), *hidden)
    assert [row.label for row in found.main] == ["A", "B"]
    assert found.joint == rare.Proportion(bounds.Count.between(20, 70), bounds.Count.exact(100))


def test_all_pools_have_the_same_hidden_sites_or_none(pooled):
    """What one pool has more than another must not be a site."""
    three = [(None, KNOWN, KNOWN)] * 3
    found = of_counts(pooled, ("A", KNOWN, KNOWN), *three, (None, EVERYTHING, KNOWN))
    assert [row.label for row in found.main] == ["A", None, None, None]
    assert found.joint.n == bounds.Count.exact(200)
    assert [row.site for row in found.group("Female")] == [row.site for row in found.main]
    found = of_counts(pooled, ("A", KNOWN, KNOWN), *three, (None, KNOWN, EVERYTHING))
    assert found.joint.n == bounds.Count.exact(250)
    assert [row.label for row in found.group("Female")] == ["A"]
    (level,) = tables.groups(found).frame.to_dicts()
    assert (level["n_least"], level["n_most"], level["k"]) == (50, 50, 1)


def test_without_suppressed_sites_hidden_ones_stay_or_go_together(pooled):
    few = rare.Proportion(bounds.Count.between(0, 20), bounds.Count.exact(50))
    found = of_counts(pooled, ("A", KNOWN, KNOWN), *[(None, KNOWN, KNOWN)] * 3, (None, few, few))
    kept = more_tables._without_suppressed(found.main)
    assert [row.label for row in kept] == ["A"]
    found = of_counts(pooled, ("A", few, few), *[(None, KNOWN, KNOWN)] * 3)
    assert [row.label for row in more_tables._without_suppressed(found.main)] == [None] * 3


def test_a_pool_of_which_nothing_may_be_seen_is_refused(pooled):
    found = of_counts(pooled, *[(None, KNOWN, KNOWN)] * 2)
    with pytest.raises(DataError, match="No site whose counts may be pooled says anything of rel"):
        _ = found.rates


def test_where_nobody_recovers_there_is_no_average_and_it_is_said(pooled):
    nobody = rare.Proportion(bounds.Count.exact(0), bounds.Count.exact(50))
    found = of_counts(pooled, *[(name, nobody, nobody) for name in "ABC"])
    last = tables.rates(found).frame.filter(pl.col("label").is_in(["all sites", "a further site"]))
    assert last["label"].to_list() == ["all sites"]  # nothing is expected of a further one
    assert last["rate"].to_list()[0] is None
    assert 0 < last["rate_high"].to_list()[0] < 10
    given = words.numbers(found)
    assert {given[name].value for name in ("rate", "tau", "further_low")} == {"not known"}
    assert "there is no average; only its limit" in words._plain(found)


def test_rules_of_counts_are_told_of_all_sites_together(ten, sites):
    """An unusual rule would name the site that is shown as a letter."""
    odd = released(drawn.Drawn(ten.params, ten.cohorts[:1], ten.shifts[:1]), Policy(15, 10))
    kinds = [replace(odd[0], sharing="anonymous"), *sites[1:3]]
    found = computed.Computed(ten.params, agreed(kinds), None)
    assert "policy" not in tables.sites(found).frame.columns
    said = words._policies(found)
    assert said == "Counts of the sites are shown: from 10, in steps of 5; from 15, in steps of 10."


# What cannot be pooled


def test_one_site_is_no_pool(sites):
    with pytest.raises(DataError, match="at least two sites; there is 1"):
        agreed(sites[:1])


def test_nobody_counts_twice(sites):
    with pytest.raises(DataError, match="two bundles of Site 1: its patients would count twice"):
        agreed([sites[0], sites[0]])
    with pytest.raises(DataError, match="Site 1 and elsewhere were computed from the same data"):
        agreed([sites[0], replace(sites[0], name="elsewhere")])


def test_other_questions_are_refused_with_their_list(sites):
    other = replace(sites[1], parameters={COUNTS: {"outcome": "reliable_improvement", "seed": 7}})
    with pytest.raises(
        DataError, match="outcome is 'reliable_improvement' and 'reliable_recovery'"
    ):
        agreed([sites[0], other])


def test_other_definitions_are_refused_and_other_versions_said(ten, sites):
    other = sites[1].results[REGRESSION]
    changed = replace(other, provenance=other.provenance | {"definitions": "others"})
    moved = replace(sites[1], results=dict(sites[1].results) | {REGRESSION: changed})
    with pytest.raises(DataError, match="The sites do not mean the same"):
        agreed([sites[0], moved])
    newer = replace(sites[1], versions={"iesoresearch": "2"})
    found = computed.Computed(ten.params, agreed([sites[0], newer]), None)
    check = next(c for c in study.checks(found) if c.name.startswith("all sites used one version"))
    assert (check.status, "1, 2" in check.sentence) == ("inconclusive", True)


def test_what_was_not_released_is_refused(ten, sites):
    raw = replace(sites[1], results={COUNTS: drawn.counts_of(ten.audited[1])})
    with pytest.raises(DisclosureError, match="has not passed disclosure control"):
        agreed([sites[0], raw])
    result = sites[1].results[COUNTS]
    later = replace(result, provenance=result.provenance | {"disclosure": {"noise": 2}})
    with pytest.raises(DisclosureError, match=r"rules that this version does not know \(noise\)"):
        agreed([sites[0], replace(sites[1], results={COUNTS: later})])


def test_two_sites_do_not_tell_what_a_further_one_may_expect(ten, sites):
    made = study.result(computed.Computed(ten.params, agreed(sites[:2]), None), "two")
    assert made.tables["rates"].frame["label"].to_list() == ["Site 1", "Site 2", "all sites"]
    assert "of two sites, one without the other is no pool" in made.not_applicable["left_out"]
    said = made.render(made.text["plain"])
    assert "What a further site may expect cannot be told from so few." in said
    assert "not known" not in said


def test_sites_without_a_run_are_said_and_the_others_pooled(ten, sites):
    lacking = [replace(one, results={COUNTS: one.results[COUNTS]}) for one in sites[:2]]
    some = [without_groups(one) for one in [*lacking, sites[3]]]
    made = study.result(computed.Computed(ten.params, agreed(some), None), "three")
    assert "no site released Gender" in made.not_applicable["groups"]
    assert "fewer than two sites released it" in made.not_applicable["coefficients"]
    assert {"performance", "matched"} <= set(made.not_applicable)
    check = next(c for c in made.checks if c.name == "every site has every part")
    assert "the regression: Site 1, Site 2" in made.render(check.sentence)
    none = [replace(one, results={REGRESSION: one.results[REGRESSION]}) for one in sites[:2]]
    with pytest.raises(DataError, match="Outcomes of two sites at least are needed"):
        study.result(computed.Computed(ten.params, agreed(none), None), "two")


def without_groups(one):
    counts = one.results[COUNTS]
    totals = replace(counts, tables={"outcomes": counts.tables["outcomes"]})
    return replace(one, results=dict(one.results) | {COUNTS: totals})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"source": "bundles"}, "needs at least two folders"),
        ({"bundles": ["a"]}, "are not of source='synthetic'"),
        ({"sharing": "mixed", "n_sites": 4}, "needs five sites"),
    ],
)
def test_impossible_parameters_are_refused(values, words):
    with pytest.raises(ParameterError, match=words):
        Params.check(values, "test")


def test_bundles_are_part_of_what_a_result_depends_on():
    params = Params(source="bundles", bundles=["a", "b"], trusted="keys.json")
    assert params.files_beside == ("a/manifest.json", "b/manifest.json", "keys.json")
    assert not params.reads_patients
    assert Params(source="folder").reads_patients


def test_what_sites_released_is_stamped_as_of_patients():
    params = Params(source="bundles", bundles=["a", "b"], trusted="keys.json")
    assert params.shows_patients
    assert Params(source="folder").shows_patients
    assert not Params().shows_patients


def test_nobody_is_shown_what_bundles_are_called(monkeypatch):
    params = Params(source="bundles", bundles=["/in/riverside", "hill"], trusted="/in/keys.txt")
    shown = Params.shown(params.model_dump())
    assert (shown["bundles"], shown["trusted"]) == ("(2, not named)", "(1, not named)")
    assert Params.shown(Params().model_dump()) == Params().model_dump()
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(project.find().root))
    view = session.Session("pooling", params, Settings()).params
    assert view.origin == PATIENTS
    assert not [word for word in ("riverside", "hill", "keys.txt") if word in repr(view.shown())]


# All of it


@pytest.fixture(scope="module")
def whole():
    params = Params(n_sites=5, n_referrals=600, sharing="mixed", grouping="Gender", seed=2)
    data = study.load(params, Settings())
    return SimpleNamespace(data=data, result=release(study.run(data, params), Policy()))


def test_a_run_of_drawn_sites_has_every_part(whole):
    assert {"rates", "outcomes", "groups", "cost", "performance", "matched", "moves"} <= set(
        whole.result.tables
    )
    summary = study.summary(whole.data).frame
    assert summary["count"].to_list() == [5, 3]
    assert not [
        c.name for c in whole.result.checks if "joint counts" in c.name and c.status != "passed"
    ]
    text = " ".join(whole.result.render(part) for part in whole.result.text.values())
    assert "no proof" in text
    assert "all but one together leave the last" in text
    assert SUPPRESSED not in text.replace("–Knapp", "")
    assert all(value.sensitivity == "synthetic" for table in whole.result.tables.values()
               for value in table.values.values())  # fmt: skip


def test_states_are_matched_and_one_cut_otherwise_is_not_pooled(whole):
    """The last site, which is hidden, has two states where the others have three."""
    shares = whole.result.tables["state_shares"].frame
    assert shares["k"].to_list() == [2.0] * 3  # the other hidden ones would be two
    assert shares["share"].sum() == pytest.approx(100, abs=3)
    matched = whole.result.tables["matched"].frame
    assert set(matched["state"]) == {"1", "2", "3"}


def test_the_model_is_judged_at_every_site(whole):
    rows = whole.result.tables["performance"].frame.filter(measure="AUC")
    average = rows.filter(label="all sites").row(0, named=True)
    each = rows.filter(~pl.col("label").is_in(["all sites", "a further site"]))
    assert each["value"].min() - 0.02 <= average["value"] <= each["value"].max() + 0.02
    assert MODEL in whole.data.sites.sites[0].results


def test_a_site_by_itself_gives_a_regression(ten):
    data = study.Loaded("here", own=ten.audited[0])
    made = release(study.run(data, Params(source="folder")), Policy())
    assert set(made.tables) == {"coefficients", "covariance"}
    assert site.read(made).names == ("constant", *site.TERMS)
    assert "this site by itself" in made.not_applicable["rates"]
    assert "forest" in made.not_applicable
    few = replace(ten.audited[0], rows=ten.audited[0].rows.head(300))
    refused = study.run(study.Loaded("here", own=few), Params(source="folder"))
    assert "needs 100 patients with and 100 without" in refused.not_applicable["coefficients"]
    assert study.summary(data).frame["count"].to_list() == [ten.audited[0].rows.height]

"""The likelihood of rare events against integration by hand, other programs and known limits."""

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats
from scipy.stats.contingency import odds_ratio as of_one_table

from iesoresearch.errors import DataError
from iesoresearch.models.case_mix import fit_mixed
from iesoresearch.models.pooling import mixture, rare
from iesoresearch.models.pooling.counts import Count
from iesoresearch.models.pooling.rare import Proportion, TwoGroups

EVENTS = np.array([0, 3, 1, 7, 2, 12])
PEOPLE = np.array([40, 55, 30, 80, 35, 90])


def exact(events, people):
    return [Proportion(Count.exact(x), Count.exact(n)) for x, n in zip(events, people, strict=True)]


@pytest.fixture(scope="module")
def found():
    return rare.proportion(exact(EVENTS, PEOPLE))


def by_hand(x, n, mean, tau, log_odds=None):
    """Marginal probability of one site by adaptive integration (QUADPACK)."""

    def integrand(at):
        return stats.binom.pmf(x, n, special.expit(at)).sum() * stats.norm.pdf(at, mean, tau)

    ends = mean + tau * np.array([-9, 9])
    return integrate.quad(integrand, *ends, points=[mean], epsabs=1e-13, limit=300)[0]


@pytest.mark.parametrize("tau", [0.02, 0.4, 2.0])
def test_the_marginal_likelihood_is_that_of_integration_by_hand(tau):
    sites = [rare._of_proportion(row) for row in exact(EVENTS, PEOPLE)]
    ours = mixture._Together(sites).log_likelihood(-2.5, tau)
    theirs = sum(np.log(by_hand(x, n, -2.5, tau)) for x, n in zip(EVENTS, PEOPLE, strict=True))
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_a_range_has_the_probability_of_all_its_values():
    row = Proportion(Count(((0, 4), (26, 30))), Count.exact(30))
    ours = mixture._Together([rare._of_proportion(row)]).log_likelihood(-1.5, 0.8)
    values = np.array([*range(5), *range(26, 31)])
    assert ours == pytest.approx(np.log(by_hand(values, 30, -1.5, 0.8)), abs=1e-6)


def test_it_is_a_logistic_regression_with_random_intercepts(found):
    """The project's own, by another quadrature, to which every site comes in two rows."""
    half = EVENTS // 2, PEOPLE // 2
    events, people = (
        np.concatenate([a, b - a]) for a, b in zip(half, (EVENTS, PEOPLE), strict=True)
    )
    theirs = fit_mixed(np.zeros((12, 0)), events, people, [*range(6)] * 2)
    assert found.estimate == pytest.approx(theirs.coefficients[0], abs=1e-4)
    assert found.tau == pytest.approx(theirs.tau, abs=1e-4)
    assert found.error == pytest.approx(theirs.covariance[0, 0] ** 0.5, rel=0.15)


def test_ends_of_intervals_are_where_the_profile_has_fallen_by_half_a_quantile(found):
    sites = mixture._Together([rare._of_proportion(row) for row in exact(EVENTS, PEOPLE)])

    def profile(mean):
        taus = np.linspace(0, 3, 400)
        return max(sites.log_likelihood(mean, tau) for tau in taus)

    for end in (found.low, found.high):
        fallen = found.log_likelihood - profile(end)
        assert fallen == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=2e-3)


def test_one_rate_for_all_is_that_of_everybody_together():
    found = rare.proportion(exact(EVENTS, PEOPLE), common=True)
    x, n = EVENTS.sum(), PEOPLE.sum()
    assert found.estimate == pytest.approx(special.logit(x / n), abs=1e-4)

    def fallen(p):
        return stats.binom.logpmf(x, n, x / n) - stats.binom.logpmf(x, n, p) - 1.920729

    low = optimize.brentq(fallen, 1e-6, x / n)
    assert special.expit(found.low) == pytest.approx(low, abs=1e-5)


def test_the_beta_binomial_is_that_of_scipy():
    found = rare.beta_binomial(exact(EVENTS, PEOPLE))

    def loss(at):
        p, rho = special.expit(at)
        a, b = p * (1 / rho - 1), (1 - p) * (1 / rho - 1)
        return -stats.betabinom.logpmf(EVENTS, PEOPLE, a, b).sum()

    best = optimize.minimize(loss, [-2.5, -3], method="Nelder-Mead", options={"xatol": 1e-8})
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.estimate == pytest.approx(best.x[0], abs=1e-3)
    assert found.tau == pytest.approx(special.expit(best.x[1]), abs=1e-3)


def test_no_event_anywhere_has_an_upper_limit_only():
    found = rare.proportion(exact([0, 0, 0], [30, 40, 50]))
    assert special.expit(found.high) < 0.06
    assert found.low == -np.inf
    assert_no_average(found)


def assert_no_average(found):
    """Where a search ended is no estimate, and no prediction follows from it."""
    given = (found.estimate, found.error, found.tau, found.tau_low, found.tau_high)
    assert np.isnan([*given, found.predicted_low, found.predicted_high]).all()
    assert "no average; only its limit" in found.reason


def test_no_average_either_where_everybody_has_it_or_few_may_have_none():
    found = rare.proportion(exact([30, 40, 50], [30, 40, 50]))
    assert (found.high, found.low > 2) == (np.inf, True)
    assert_no_average(found)
    few = [Proportion(Count.between(0, 4), Count.exact(80)) for _ in range(3)]
    assert_no_average(rare.proportion(few))
    assert_no_average(rare.beta_binomial(exact([0, 0, 0], [30, 40, 50])))


def test_a_suppressed_site_still_counts_and_makes_it_wider():
    known = rare.proportion(exact(EVENTS, PEOPLE), common=True)
    rows = exact(EVENTS, PEOPLE)
    rows[3] = Proportion(Count.small_or_rest(0, 9, 80, 80), Count.exact(80))
    ranged = rare.proportion(rows, common=True)
    without = rare.proportion(rows[:3] + rows[4:], common=True)
    assert known.high - known.low < ranged.high - ranged.low
    assert ranged.k == 6
    assert ranged.high < without.high  # that it has fewer than ten is known, and tells


def test_a_site_of_which_everything_is_possible_says_nothing(found):
    rows = [*exact(EVENTS, PEOPLE), Proportion(Count.between(0, 70), Count.between(60, 70))]
    assert rare.proportion(rows) == found
    rows = [*rows, Proportion(Count.between(0, 5), Count.between(0, 9))]
    assert rare.proportion(rows).k == 6


def groups(table):
    (a, b), (c, d) = table
    first, second = (Proportion(Count.exact(x), Count.exact(x + y)) for x, y in ((a, b), (c, d)))
    return TwoGroups(first, second)


def test_an_odds_ratio_of_one_table_is_the_conditional_one_of_scipy():
    table = [[8, 30], [15, 22]]
    found = rare.odds_ratio([groups(table)], common=True)
    assert np.exp(found.estimate) == pytest.approx(of_one_table(table).statistic, rel=1e-5)


def test_odds_ratios_of_several_tables_by_hand():
    """Noncentral hypergeometric probabilities of scipy, integrated by QUADPACK."""
    tables = [[[8, 30], [15, 22]], [[0, 25], [4, 20]], [[5, 5], [9, 40]]]
    mean, tau, want = -0.4, 0.6, 0.0
    for (a, b), (c, d) in tables:

        def density(at, a=a, b=b, c=c, d=d):
            p = stats.nchypergeom_fisher.pmf(a, a + b + c + d, a + c, a + b, np.exp(at))
            return p * stats.norm.pdf(at, mean, tau)

        want += np.log(integrate.quad(density, mean - 9 * tau, mean + 9 * tau, epsabs=1e-13)[0])
    sites = mixture._Together([rare._of_groups(groups(table)) for table in tables])
    assert sites.log_likelihood(mean, tau) == pytest.approx(want, abs=1e-6)


def test_sites_in_which_nobody_has_the_event_say_nothing_of_odds_ratios():
    tables = [groups([[8, 30], [15, 22]]), groups([[2, 25], [4, 20]])]
    empty = groups([[0, 20], [0, 30]])
    assert rare.odds_ratio([*tables, empty]).k == 2
    with pytest.raises(DataError, match="nothing to pool"):
        rare.odds_ratio([empty])


def test_ranges_make_an_odds_ratio_less_certain():
    known = groups([[8, 60], [25, 52]])
    ranged = TwoGroups(
        Proportion(Count.between(0, 9), Count.between(66, 70)),
        Proportion(Count.between(23, 27), Count.between(75, 79)),
    )
    exactly, about = (rare.odds_ratio([row], common=True) for row in (known, ranged))
    assert about.low < exactly.low
    assert about.high == pytest.approx(exactly.high, abs=0.3)


def test_impossible_counts_are_refused():
    with pytest.raises(DataError, match="More people with the event than people"):
        Proportion(Count.exact(8), Count.exact(7))
    with pytest.raises(DataError, match="Leave that site out"):
        rare.proportion([Proportion(Count.between(10, 20), Count.between(100, 900))])

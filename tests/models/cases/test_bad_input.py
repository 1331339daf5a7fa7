"""What cannot be is named with its place, all of it at once, and nothing is computed."""

import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import parse, run

TEXT = """
format: 1
id: model
title: Two strategies
kind: markov_cohort
source: {note: invented, licence: not applicable}
currency: GBP
wtp: 20000
cycle: 1 month
cycles: 4
start_age: 60
states: [well, ill, dead]
start: {well: 1}
count: start
discount: {rate: 0.035, per: year}
parameters:
  p_ill: {value: 0.1, unit: probability per month}
  r_death: {value: 0.12, unit: rate per year}
  c_ill: {value: 100, unit: GBP per month}
  u_ill: {value: 0.6, unit: utility}
tables:
  mortality: {lookup: step, unit: rate per year, at: [50, 60], values: [0.01, 0.02]}
transitions:
  well: {well: rest, ill: p_ill, dead: rate_to_probability(mortality(age))}
  ill: {ill: rest, dead: rate_to_probability(r_death)}
  dead: stay
rewards:
  cost: {kind: cost, values: {ill: c_ill, others: 0}}
  qaly: {kind: effect, unit: QALY, per: year, values: {well: 1, ill: u_ill, dead: 0}}
strategies:
  usual:
  new: {parameters: {p_ill: 0.05}}
expected:
  tolerance: {cost: 1000, qaly: 10}
  totals: {usual: {cost: 0, qaly: 0}}
"""

BAD = {
    # what is written, in place of what, and what the message says
    "rows": (
        "well: rest, ill: p_ill",
        "ill: p_ill",
        r"transitions\.well \(line \d+\): the row sums to 0\.10\d+ in cycle 1 instead of 1",
    ),
    "rest": ("ill: p_ill,", "ill: p_ill + 0.899,", r"transitions.well \(line 2\d\): what is named"),
    "negative probability": (
        "ill: p_ill,",
        "ill: -p_ill,",
        r"transitions.well.ill.*is -0.1.*no prob",
    ),
    "rate": (
        "dead: rate_to_probability(r_death)",
        "dead: r_death",
        r"transitions.ill.dead.*'r_death' "
        "is a rate per year where a probability per cycle is needed.*rate_to_probability",
    ),
    "period": (
        "probability per month",
        "probability per year",
        r"transitions.well.ill.*'p_ill' is a "
        r"probability per year where the cycle is 1 month \(rescale",
    ),
    "conversion": (
        "rate_to_probability(r_death)",
        "rescale(r_death)",
        "rescale wants a probability",
    ),
    "negative rate": (
        "value: 0.12",
        "value: -0.12",
        r"parameters.r_death.*-0.12, negative for a rate",
    ),
    "table rate": (
        "values: [0.01, 0.02]",
        "values: [-0.01, 0.02]",
        r"tables.mortality.*negative rate",
    ),
    "table age": ("at: [50, 60]", "at: [61, 62]", r"no finite number.*a look-up outside the table"),
    "discount": (
        "{rate: 0.035, per: year}",
        "{rate: 0.035, per: month}",
        r"discount.rate \(line 1\d\): "
        r"0.035 per 1 month is 51.1% a year.*\[discount-implausible\]",
    ),
    "discount text": (
        "rate: 0.035",
        "rate: 3.5",
        r"a discount rate is a fraction below 1; it is 3.5",
    ),
    "utility": (
        "value: 0.6",
        "value: 1.6",
        r"parameters.u_ill.*1.6, too large for a utility per year",
    ),
    "utility value": ("well: 1, ill", "well: 1.2, ill", r"rewards.qaly.*1.2 QALYs a year"),
    "utility months": (" per: year, values: {well", " values: {well", r"\[utility-per-cycle\]"),
    "money": (
        "GBP per month",
        "GBP per year",
        r"rewards.cost.values.ill.*is a GBP per year and is "
        r"summed as if per 1 month.*\[reward-period\]",
    ),
    "money once": ("GBP per month", "GBP once", r"\[once-per-cycle\]"),
    "currency": ("GBP per month", "EUR per month", r"'c_ill' is a EUR per month in a model in GBP"),
    "unit": ("probability per month", "probabilty per month", r"parameters.p_ill.unit.*is no unit"),
    "source": (
        "source: {note: invented, licence: not applicable}",
        "source: {}",
        "source.*must say where",
    ),
    "no source": ("source: {note: invented, licence: not applicable}", "", "needs 'source'"),
    "empty source": (
        "value: 0.6,",
        "value: 0.6, source: '',",
        r"parameters.u_ill.*has an empty source",
    ),
    "licence": (", licence: not applicable", "", "source.*needs licence"),
    "key": ("cycles: 4", "cycels: 4", r"cycels.*is no key of the format \(did you mean cycles"),
    "twice": ("cycles: 4", "cycles: 4\ncycles: 5", r"cycles \(line 11\): is given twice"),
    "name": (
        "ill: p_ill,",
        "ill: p_il,",
        r"transitions.well.ill.*'p_il' is not defined \(did you mean p_ill",
    ),
    "function": (
        "rate_to_probability(r",
        "rate_to_prob(r",
        "there is no function.*did you mean rate_to_p",
    ),
    "arguments": (
        "rate_to_probability(mortality(age))",
        "'mortality(age, 1)'",
        "mortality takes 1 val",
    ),
    "state": (
        "values: {ill: c_ill",
        "values: {il: c_ill",
        r"rewards.cost.values.il.*is no state \(did you mean ill",
    ),
    "missing state": (
        "well: 1, ill: u_ill, dead: 0",
        "well: 1, ill: u_ill",
        "lacks dead; others: 0",
    ),
    "row": ("  dead: stay\n", "", "has no row for dead"),
    "circle": (
        "value: 0.6",
        "value: v}\n  v: {value: u_ill",
        r"is defined by itself: (u_ill → v → u_ill|v → u_ill)",
    ),
    "clock": (
        "ill: p_ill,",
        "ill: 0.1 / time_in_state,",
        "time_in_state needs a state with a clock",
    ),
    "age": ("start_age: 60\n", "", r"transitions.well.dead.*give start_age"),
    "t": ("ill: p_ill,", "ill: 0.1 * t,", "t is for the exponent of a discount"),
    "reserved": ("  u_ill: {", "  age: 3\n  u_ill: {", "'age' is a word of the format"),
    "python word": ("  u_ill: {", "  lambda: 3\n  u_ill: {", "'lambda' cannot be a name"),
    "override": ("p_ill: 0.05", "p_il: 0.05", "is no parameter of the case.*did you mean p_ill"),
    "states": ("new: {", "new: {states: [a], ", r"strategies.new.*has states of its own"),
    "start": ("start: {well: 1}", "start: {well: 0.9}", r"start.*strategy usual sum to 0.9"),
    "no start": ("start: {well: 1}\n", "", "usual has no start, and the case has none"),
    "count": ("count: start", "count: halfcycle", "'halfcycle' is not known"),
    "no count": ("count: start\n", "", "rewards.cost.*needs count"),
    "simpson": ("count: start\n", "count: simpson\n", None),
    "weights": ("count: start", "count: [1, 1]", "has 2 weights for the 5 points 0 to 4"),
    "no discount": (
        "discount: {rate: 0.035, per: year}\n",
        "",
        "needs discount.*none, or rate and per",
    ),
    "tolerance": (
        "{cost: 1000, qaly: 10}",
        "{cost: 1000}",
        r"expected.totals.usual.qaly.*needs a tolerance",
    ),
    "bad tolerance": ("cost: 1000,", "cost: -1,", "a tolerance is a number of 0 or more"),
    "strategy": ("{usual: {cost", "{usal: {cost", r"'usal' is no strategy \(did you mean usual"),
    "reward": ("usual: {cost: 0", "usual: {costs: 0", r"'costs' is no reward \(did you mean cost"),
    "kind": ("kind: markov_cohort", "kind: markov", "kind .*'markov' is not known"),
    "format": ("format: 1", "format: 2", "this is format 1"),
    "complete": ("currency:", "complete: false\ncurrency:", "complete: false goes with not_found"),
    "not found": ("currency:", "not_found: [a]\ncurrency:", "complete: false goes with not_found"),
    "cycle": ("cycle: 1 month", "cycle: 1 fortnight", "cycle.*'1 fortnight' is no period"),
    "cycles": ("cycles: 4", "cycles: 0", "must be a whole number from 1"),
    "expression": ("ill: p_ill,", "ill: p_ill.real,", "may not hold a dot after a name"),
    "text": ("ill: p_ill,", "ill: [1],", "must be a number or an expression"),
    "discount number": ("{rate: 0.035, per: year}", "0.035", "discount.*must be none, {rate"),
    "start and tree": (
        "usual:\n",
        "usual: {start: {well: 1}, tree: {state: well}}\n",
        "strategies.usual.*has a start and a tree",
    ),
    "cycle mapping": ("cycle: 1 month", "cycle: {length: 1}", "cycle.*must be one text"),
    "weight": (
        "  well: {well: rest, ill: p_ill, dead: rate_to_probability(mortality(age))}\n"
        "  ill: {ill: rest, dead: rate_to_probability(r_death)}\n  dead: stay",
        "  mix: [{weight: -1, of: {well: stay, ill: stay, dead: stay}}, "
        "{weight: rest, of: {well: stay, ill: stay, dead: stay}}]",
        "transitions.mix.*a weight is negative",
    ),
    "table and parameter": ("  mortality: {", "  p_ill: {", "'p_ill' is a parameter too"),
    "groups": (
        "currency:",
        "groups: {a: {share: 0.5, p_ill: 0.1}, b: {share: 0.4, u_ill: 0.5}}\ncurrency:",
        "groups.*a lacks u_ill(.|\n)*b lacks p_ill(.|\n)*sum to 1, not to 0.9",
    ),
    "individuals": (
        "currency:",
        "individuals: {x: 'normal(mean=1, sd=1)'}\ncurrency:",
        "'x' must be a parameter too",
    ),
    "variants": ("currency:", "variants: [1]\ncurrency:", "variants.*must hold names"),
    "nan": ("value: 0.6", "value: 1 / 0", r"parameters.u_ill|no finite number"),
    "finding": (
        "currency:",
        "findings_expected: [discount]\ncurrency:",
        "'discount' is no finding",
    ),
    "yaml": ("start: {well: 1}", "start: {well: 1", "not readable as YAML near line 1"),
}


def test_the_model_is_right_as_it_stands():
    assert run(parse(TEXT, "model.yaml")).ok


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(name):
    old, new, message = BAD[name]
    assert TEXT.count(old) >= 1
    text = TEXT.replace(old, new, 1)
    if message is None:
        assert run(parse(text, "model.yaml")).rows
        return
    with pytest.raises(ParameterError, match=message) as error:
        run(parse(text, "model.yaml"))
    assert str(error.value).startswith("model.yaml") or "model.yaml" in str(error.value)


DISTRIBUTIONS = {
    "beta(mean=0.2, sd=0.5)": "a beta distribution with mean 0.2 has a standard deviation",
    "beta(mean=1.2, sd=0.1)": "a beta distribution has a mean between 0 and 1",
    "beta(a=-1, b=2)": "a must be above 0",
    "beta(a=1)": r"'beta\(a=1\)' is not complete: write beta\(a=, b=\) or beta\(mean=, sd=\)",
    "gamma(mean=-5, sd=1)": "mean must be above 0",
    "gamma(shape=2, rate=0)": "rate|scale must be above 0",
    "normal(mean=1, sd=-1)": "sd must be above 0",
    "lognormal(mean=-1, sd=1)": "mean must be above 0",
    "lognormal(median=1, low=2, high=1)": "low must be above 0 and below high",
    "uniform(low=2, high=1)": "low must be below high",
    "triangular(low=0, mode=3, high=2)": "mode must lie between low and high",
    "betta(a=1, b=2)": r"'betta' is no distribution \(did you mean beta",
    "beta(1, 2)": "is not written like beta",
    "beta(a=open(1), b=2)": "is no function of the format",
    "beta(a=x, b=2)": "'x' is not defined",
    "beta(a=1/0, b=2)": "not finite",
    "().__class__": "is not written like",
    "beta(**x)": "is not written like",
}


@pytest.mark.parametrize("written", DISTRIBUTIONS)
def test_a_distribution_that_cannot_be_is_named(written):
    text = TEXT.replace("unit: utility}", f'unit: utility, distribution: "{written}"}}')
    with pytest.raises(ParameterError, match=DISTRIBUTIONS[written]) as error:
        parse(text, "model.yaml")
    assert "parameters.u_ill.distribution (line 2" in str(error.value)


NEW = "  totals: {usual: {cost: 0, qaly: 0}}"
ASKED = {
    "wtp: 20000\n": ("", "incremental: {new: {versus: usual, inmb: 1}}", "needs wtp"),
    "{kind: effect,": ("{kind: other,", "icers: {new: 1}", "needs a reward of kind cost and one"),
    "{ kind: x": ("", "psa: {mean: {usual: {cost: 1}}}", "needs psa"),
    "{ kind: y": ("", "microsimulation: {usual: {cost: 1}}", "needs microsimulation"),
    "{ kind: z": ("", "paths: {usual: {a: 1}}", "'a' is no path of usual"),
    "{ kind: v": ("", "values: {evpi: 1}", "'evpi' is no question"),
    "{ kind: t": (
        "",
        "thresholds: {a: {parameter: c, between: [0, 1], strategy: new, versus: usual, of: cost,"
        " value: 1}}",
        "'c' is no parameter",
    ),
}


@pytest.mark.parametrize("old", ASKED)
def test_what_a_case_cannot_answer_is_not_asked(old):
    new, asked, message = ASKED[old]
    tolerance = "{cost: 1, qaly: 1, inmb: 1, icer: 1, path: 1, value: 1, threshold: 1}"
    text = TEXT.replace(old, new).replace("{cost: 1000, qaly: 10}", tolerance)
    with pytest.raises(ParameterError, match=rf"expected\..*{message}"):
        parse(text.replace(NEW, f"  {asked}"), "model.yaml")


def test_a_model_that_no_memory_holds_is_refused():
    text = TEXT.replace("cycles: 4\n", "cycles: 4000\nclocks: {ill: 3000}\n")
    with pytest.raises(ParameterError, match="clocks: 3002 states"):
        parse(text, "model.yaml")


def test_all_problems_come_at_once_with_their_lines():
    text = TEXT.replace("ill: p_ill,", "ill: p_il,").replace("cost: 1000,", "")
    with pytest.raises(ParameterError) as error:
        parse(text.replace("well: 1, ill: u_ill", "well: 1, il: u_ill"), "model.yaml")
    message = str(error.value)
    assert "problems, so nothing was computed" in message
    for part in ("transitions.well.ill (line 24)", "rewards.qaly.values.il", "expected.totals"):
        assert part in message


def test_a_variant_says_that_it_is_one():
    text = TEXT + "variants:\n  longer: {cycles: 0, expected: {}}\n"
    with pytest.raises(ParameterError, match=r"variants\.longer\.cycles \(line 3\d\)"):
        parse(text, "model.yaml")


def test_a_draw_that_cannot_be_is_named():
    # A normal distribution as wide as this leaves 0 … 1.
    text = (
        TEXT.replace(
            "{value: 0.1, unit: probability per month}",
            '{value: 0.1, unit: probability per month, distribution: "normal(sd=1)"}',
        )
        + "  psa: {mean: {usual: {cost: 1}}}\npsa: {draws: 50, seed: 1}\n"
    )
    with pytest.raises(ParameterError, match=r"transitions\.well\.ill.*draw \d+"):
        run(parse(text, "model.yaml"))


def test_a_small_file_cannot_be_made_huge():
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{chr(98 + k)}: &{chr(98 + k)} [{','.join([f'*{chr(97 + k)}'] * 10)}]\n" for k in range(8)
    )
    with pytest.raises(ParameterError, match="holds more values"):
        parse(bomb, "bomb.yaml")
    with pytest.raises(ParameterError, match=r"not readable|deeper"):
        parse("[" * 3000, "deep.yaml")
    with pytest.raises(ParameterError, match="characters"):
        parse("x" * 2_000_001, "long.yaml")


@pytest.mark.parametrize("text", ["", "3", "[1]", "!!python/object:os.system x", "? [a]\n: 1"])
def test_what_is_no_case_is_refused(text):
    with pytest.raises(ParameterError):
        parse(text, "x.yaml")

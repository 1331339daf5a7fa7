"""The model beside what England publishes of finished courses, to which nothing in it is fitted."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.declared import interval, named, spread, value, words
from iesoresearch.models.waiting import SCENARIOS, Course, finished_course
from iesoresearch.results import Check, Table
from iesoresearch.seeds import rng

CONDITION = "depression"  # of anxiety, caseness lies within a band
MEAN = "average service"
PLACE = "one service"
DRAWS = 500  # of a case


@dataclass(frozen=True)
class Validity:
    """Share below caseness after a course by recovery and effect of therapy, after the usual wait.

    England counts as recovered who was at caseness by PHQ-9 or GAD-7 and ends below it by both; the
    model knows PHQ-9 only, so a model that is right gives a little more than is published.
    """

    computed: Computed

    @property
    def published(self) -> float:
        """Recovery of depression in England, %."""
        england = self.computed.data.england
        row = england.frame.filter(
            period=england.year, breakdown="problem", group=CONDITION, measure="recovery",
            statistic="percentage",
        )  # fmt: skip
        return float(row["value"].item())

    @property
    def base(self) -> tuple[str, str]:
        """Recovery and effect of the base case."""
        model = model_of(CONDITION, self.computed.params)
        return model.recovery, MEAN if model.effect == "mean" else PLACE

    @cached_property
    def effects(self) -> dict[str, tuple[str, dict[str, np.ndarray]]]:
        """By name, how the model takes the effect, and the draws."""
        draws = {name: x[:DRAWS] for name, x in self.computed.base[CONDITION].draws.items()}
        found = {MEAN: ("mean", draws), PLACE: ("predictive", draws)}
        for name, effect in self.computed.data.effects.items():
            generator = rng(self.computed.params.seed, "effect", name)
            other = effect.draw(generator, len(draws["effect_mean"]))
            changed = dict(zip(("effect_mean", "effect_tau"), other, strict=True))
            found[name] = ("mean", draws | changed)
        return found

    @cached_property
    def courses(self) -> dict[tuple[str, str], Course]:
        """By recovery and effect."""
        wait = self.computed.data.england.typical
        return {
            (recovery, name): finished_course(
                replace(model_of(CONDITION, self.computed.params, recovery=recovery), effect=kind),
                draws,
                wait,
            )
            for recovery, scenario in SCENARIOS.items()
            if CONDITION in scenario.conditions
            for name, (kind, draws) in self.effects.items()
        }

    def distance(self, case: tuple[str, str]) -> float:
        """Percentage points above what is published."""
        return 100 * float(self.courses[case].treated.mean()) - self.published

    @cached_property
    def table(self) -> Table:
        """Every case beside England."""
        rows = [
            {"recovery": case[0], "effect": case[1]}
            | named("treated", spread(100 * course.treated, 1))
            | {"published": self.published, "apart": self.distance(case)}
            | {"untreated": 100 * float(course.untreated.mean())}
            | {"base": "base case" if case == self.base else ""}
            for case, course in self.courses.items()
        ]
        values = interval("treated", "Recovered after a course, %", 1)
        values |= {
            "published": value("Published, %", 1),
            "apart": value("Model less published, points", 1),
            "untreated": value("Recovered by then without a course, %", 1),
            "base": words("Is it"),
        }
        wait, year = self.computed.data.england.typical, self.computed.data.england.year
        title = (
            f"Recovery from depression after a course that begins after {wait} weeks, beside "
            f"England {year}"
        )
        keys = {"recovery": "Natural recovery", "effect": "Effect of therapy"}
        return Table(title, pl.DataFrame(rows), keys, values)

    def nearest(self) -> tuple[str, str]:
        """The case that comes nearest to what is published."""
        return min(self.courses, key=lambda case: abs(self.distance(case)))

    def check(self) -> Check:
        """Whether what England publishes lies within the interval of the base case."""
        course, apart = self.courses[self.base], self.distance(self.base)
        low, high = 100 * np.quantile(course.treated, (0.025, 0.975))
        most = [self.distance((recovery, self.base[1])) for recovery in SCENARIOS]
        where = "above" if apart > 0 else "below"
        near = self.nearest()
        return Check(
            "the model recovers as many as England publishes",
            "passed" if low <= self.published <= high else "failed",
            f"After a course, {100 * course.treated.mean():.1f} % ({low:.1f} to {high:.1f}) of "
            f"people with depression are below PHQ-9 10 in the base case "
            f"({self.base[0]} recovery, {self.base[1]}), {abs(apart):.1f} points {where} the "
            f"{self.published:.1f} % published, for which GAD-7 must be below caseness as well; "
            f"{100 * course.untreated.mean():.1f} % would be there by then without a course. Other "
            f"scenarios of recovery are from {min(most):+.1f} to {max(most):+.1f} points off; "
            f"nearest of all is {near[0]} recovery with the effect “{near[1]}”. Nothing is "
            "fitted; passed where what is published lies within the 95 % interval.",
        )

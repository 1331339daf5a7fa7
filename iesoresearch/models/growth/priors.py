"""Priors of the growth model, as shares of the range of the scale."""

from dataclasses import dataclass, field

from iesoresearch.errors import ParameterError


@dataclass(frozen=True)
class Priors:
    """Weakly informative priors on the range of a scale.

    All follow from the lowest and highest score that the scale has, R being the range between. No
    score can be outside, so no standard deviation of scores can exceed R/2, and hardly any effect
    can exceed R/2 either. Normal and half-normal scales are set so that 95 % of the prior lies well
    within that, and nothing that such a scale can show is ruled out.

    Attributes
    ----------
    low, high
        Lowest and highest score of the scale.
    level, rate
        Standard deviations of the normal priors of the mean score at time 0, about the middle of
        the scale (R/6: 95 % within a third of the range on either side), and of the mean change
        until the last occasion, about no change (R/4: 95 % within half the range).
    effect
        Of the effect of a covariate, per unit, on level and rate (normal about 0, R/8: 95 % within
        a quarter of the range), so that covariates should be 0/1 or standardised.
    patient_level_sd, patient_rate_sd, residual_sd
        Scales of half-normal priors (R/6: 95 % below a third of the range).
    therapist_level_sd, therapist_rate_sd, service_level_sd
        Scales of half-normal priors (R/12): therapists and services differ less than patients, and
        with few of them the prior must keep out what no study has seen.
    correlation
        The correlation c of patient level and rate: (c + 1)/2 is Beta(2, 2), the LKJ prior with
        shape 2, which keeps off perfect correlation and is silent otherwise.
    hazard_mean, hazard_sd
        Logit of leaving after an occasion half-way (normal; -2 ± 1.5 is 0.7 to 72 % per occasion).
    hazard_slope
        Of its change from the first to the last occasion, of the effect of a covariate, and of the
        effects of level and rate per standard deviation of patients (normal about 0; 1.0 allows
        odds ratios of 1/7 to 7).
    """

    low: float
    high: float
    level: float = field(init=False)
    rate: float = field(init=False)
    effect: float = field(init=False)
    patient_level_sd: float = field(init=False)
    patient_rate_sd: float = field(init=False)
    residual_sd: float = field(init=False)
    therapist_level_sd: float = field(init=False)
    therapist_rate_sd: float = field(init=False)
    service_level_sd: float = field(init=False)
    correlation: float = 2.0
    hazard_mean: float = -2.0
    hazard_sd: float = 1.5
    hazard_slope: float = 1.0

    def __post_init__(self) -> None:
        if not self.high > self.low:
            raise ParameterError(
                f"The scale goes from {self.low} to {self.high}: give its lowest and its highest "
                "possible score, such as (0, 27)."
            )
        shares = {"level": 6, "rate": 4, "effect": 8}
        shares |= dict.fromkeys(("patient_level_sd", "patient_rate_sd", "residual_sd"), 6)
        shares |= dict.fromkeys(("therapist_level_sd", "therapist_rate_sd", "service_level_sd"), 12)
        for name, part in shares.items():
            object.__setattr__(self, name, (self.high - self.low) / part)

    @property
    def middle(self) -> float:
        """Middle of the scale."""
        return (self.low + self.high) / 2

    def table(self) -> list[dict[str, str]]:
        """One row per prior: `parameter`, `prior`, `why`."""
        half = "95 % below a third of the range"
        small = "therapists and services differ less than patients: 95 % below a sixth of the range"
        odds = "odds ratios of 1/7 to 7"
        rows = [
            ("level", f"Normal({self.middle:g}, {self.level:g})", "middle third of the scale"),
            ("rate", f"Normal(0, {self.rate:g})", "change of at most half the range"),
            ("effects of covariates", f"Normal(0, {self.effect:g})", "at most a quarter of it"),
        ]
        rows += [
            (name.replace("_", " "), f"HalfNormal({getattr(self, name):g})", why)
            for names, why in (
                (("patient_level_sd", "patient_rate_sd", "residual_sd"), half),
                (("therapist_level_sd", "therapist_rate_sd", "service_level_sd"), small),
            )
            for name in names
        ]
        rows += [
            (
                "patient correlation",
                f"2 Beta({self.correlation:g}, {self.correlation:g}) - 1",
                "off perfect correlation",
            ),
            (
                "hazard",
                f"Normal({self.hazard_mean:g}, {self.hazard_sd:g})",
                "0.7 to 72 % leave after an occasion",
            ),
            ("hazard by time and covariates", f"Normal(0, {self.hazard_slope:g})", odds),
            ("hazard by patient level and rate", f"Normal(0, {self.hazard_slope:g}) per SD", odds),
        ]
        return [{"parameter": p, "prior": d, "why": w} for p, d, w in rows]

"""Inputs of the waiting model: every number with its distribution, source and standing."""

from iesoresearch.data.health_economics.distributions import Distribution
from iesoresearch.data.health_economics.effect import Effect, load_effect
from iesoresearch.data.health_economics.inputs import Input, load_inputs

__all__ = ["Distribution", "Effect", "Input", "load_effect", "load_inputs"]

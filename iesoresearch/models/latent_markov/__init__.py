"""Latent Markov models of many categorical items answered at repeated sessions."""

from iesoresearch.models.latent_markov.estimator import LatentMarkov

__all__ = ["LatentMarkov"]

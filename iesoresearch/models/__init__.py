"""The mathematics: arrays in, estimators and plain results out. No files, no plots."""

from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov

__all__ = ["LatentMarkov", "SeverityLadder"]

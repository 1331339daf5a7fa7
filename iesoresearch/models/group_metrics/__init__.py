"""Rates of decisions by group, with intervals from resampled counts instead of resampled rows."""

from iesoresearch.models.group_metrics.auditing import audit
from iesoresearch.models.group_metrics.criteria import conflict
from iesoresearch.models.group_metrics.metrics import METRICS
from iesoresearch.models.group_metrics.results import GroupAudit

__all__ = ["METRICS", "GroupAudit", "audit", "conflict"]

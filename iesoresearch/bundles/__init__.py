"""Bundles: aggregates that leave a site, signed, checked again where they arrive."""

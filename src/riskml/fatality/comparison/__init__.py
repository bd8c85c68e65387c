"""Reviewed cases beside the living: matched sets, exact odds ratios, priors, power before results."""

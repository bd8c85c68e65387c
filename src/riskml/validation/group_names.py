"""Groupings, groups and metrics of audits as people read them."""

from riskml.messages import all_messages, message

__all__ = ["group_name", "grouping_name", "metric_name"]


def _first(keys, language, otherwise):
    known = all_messages()
    return next((message(key, language) for key in keys if key in known), otherwise)


def grouping_name(grouping, language="es"):
    """A grouping in words, str; one of somebody's own as it is."""
    return _first((f"validation.grouping_{grouping}",), language, str(grouping))


def group_name(grouping, group, language="es"):
    """A group in words, str: codes of the registry by their words, places and years as they are.

    >>> group_name("age_band", "<25", "en"), group_name("relationship", "son", "es")
    ('under 25', 'hijo')
    """
    keys = (
        f"validation.group_{grouping}_{group}",
        f"validation.group_{group}",
        f"reasons.code_{group}",
    )
    return _first(keys, language, str(group))


def metric_name(metric, language="es"):
    """A metric in words, str; one that is not named here as it is."""
    return _first((f"validation.metric_{metric}", f"reports.metric_{metric}"), language, str(metric))

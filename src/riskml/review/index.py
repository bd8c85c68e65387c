"""What MLflow's model registry shows of a review: the alias and the tags, written again from the statements.

They repeat the chain for those who look at the registry, and are never what is believed: `verify` compares.
"""

from riskml.review.ledger import CHAMPION, head_mark
from riskml.review.rules import standing

__all__ = ["TAGS", "champion_statement", "expected_tags", "keep_index"]

TAGS = ("riskml.review.status", "riskml.review.expires_on", "riskml.review.last")


def champion_statement(statements):
    """The approval that names the version in use: the last that was completed, unless it was rejected since.

    An earlier version does not come back by itself: it would move the alias without anybody's approval.

    Parameters
    ----------
    statements : list of Statement    in order

    Returns
    -------
    Statement or None
    """
    completed = [s for s in statements if s.kind == "approve" and s.expires_on]
    if not completed or standing(statements, completed[-1].version).approval is not completed[-1]:
        return None
    return completed[-1]


def expected_tags(statements):
    """What the tags of each reviewed version have to say: dict of (version, MLflow's number) -> dict."""
    expected = {}
    for version in dict.fromkeys(s.version for s in statements):
        own = [s for s in statements if s.version == version]
        now = standing(statements, version)
        expires = now.approval.content["expires_on"] if now.approval else "-"
        number = now.opening.content.get("mlflow_version", "") if now.opening else ""
        expected[version, number] = dict(zip(TAGS, (now.status, expires, head_mark(own[-1])), strict=True))
    return expected


def keep_index(ledger):
    """Write head, tags and alias as the statements say.

    Parameters
    ----------
    ledger : Ledger

    Raises
    ------
    RiskmlError    the chain is broken: nothing is written
    """
    statements = ledger.statements()
    ledger.keep_head(statements)
    client, name = ledger.client, ledger.name
    for (_, number), tags in expected_tags(statements).items():
        for key, value in tags.items():
            client.set_model_version_tag(name, number, key, value)
    champion = champion_statement(statements)
    aliases = client.get_registered_model(name).aliases
    if champion is None:
        if CHAMPION in aliases:
            client.delete_registered_model_alias(name, CHAMPION)
    elif aliases.get(CHAMPION) != champion.content["mlflow_version"]:
        client.set_registered_model_alias(name, CHAMPION, champion.content["mlflow_version"])

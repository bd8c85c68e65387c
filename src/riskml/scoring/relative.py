"""Lethal models beside the others in a second opinion: relative risk and pattern, no level and no rank."""

from riskml.errors import RiskmlError
from riskml.models.lethal_bundle import LethalBundle

__all__ = ["RELATIVE", "parted", "relative_columns"]

RELATIVE = ("relative", "low", "high", "unknown")  # of each lethal model, as `<model>_<name>`


def parted(models):
    """The models that predict a risk, and the lethal ones, which know none.

    Parameters
    ----------
    models : dict of name -> Model or LethalBundle

    Returns
    -------
    models : dict of name -> Model
    relatives : dict of name -> LethalBundle

    Raises
    ------
    RiskmlError    lethal models alone: nothing suggests a level
    """
    relatives = {name: model for name, model in models.items() if isinstance(model, LethalBundle)}
    others = {name: model for name, model in models.items() if name not in relatives}
    if not others:
        raise RiskmlError(
            f"{', '.join(relatives)} gives relative risk and suggests no level",
            where="model",
            mend="Score it beside another model: `riskml train repeat` trains one.",
        )
    return others, relatives


def relative_columns(relatives, matrix):
    """What lethal models say of each case: times the registry's average, never a probability.

    Parameters
    ----------
    relatives : dict of name -> LethalBundle
    matrix : DataFrame, n rows    of `build_features`

    Returns
    -------
    dict of column -> array, shape (n,)
        for each model <model>_relative (1: the registry's average; NaN where the model does not apply),
        <model>_low, <model>_high (95 % interval of it) and <model>_unknown (factors that nobody mentioned)
    """
    columns = {}
    for name, model in relatives.items():
        scored = model.score(matrix)
        columns |= {f"{name}_{what}": scored[what].to_numpy() for what in RELATIVE}
    return columns

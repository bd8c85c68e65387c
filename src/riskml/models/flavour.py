"""How MLflow reads a bundle back: data in, calibrated or relative risk out, nothing unpickled."""

import pandas as pd

from riskml.models.bundle import Model
from riskml.models.lethal_bundle import LethalBundle

__all__ = ["RELATIVE_COLUMNS", "ServedLethal", "ServedModel"]

RELATIVE_COLUMNS = ("relative", "low", "high", "present", "denied", "unknown")


class ServedModel:
    """A bundle behind MLflow's `predict`.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model):
        self.model = model

    def predict(self, model_input, params=None):
        """Calibrated risk and what became of similar cases.

        Parameters
        ----------
        model_input : DataFrame    one row per assessment, the columns of the model's signature

        Returns
        -------
        DataFrame of risk, low, high
        """
        frame = pd.DataFrame(model_input)
        risk = self.model.predict(frame)
        around = self.model.interval(risk=risk)
        return pd.DataFrame(
            {"risk": risk, "low": around["low"].to_numpy(), "high": around["high"].to_numpy()},
            index=frame.index,
        )


class ServedLethal:
    """A lethal bundle behind MLflow's `predict`: it serves relative risk, as it holds no probability.

    Parameters
    ----------
    model : LethalBundle
    """

    def __init__(self, model):
        self.model = model

    def predict(self, model_input, params=None):
        """Risk relative to the registry's average, with its interval and how many factors make it up.

        Parameters
        ----------
        model_input : DataFrame    one row per assessment, the columns of the model's signature

        Returns
        -------
        DataFrame of relative, low, high (times the average), present, denied, unknown (factors)
        """
        frame = pd.DataFrame(model_input)
        return self.model.score(frame.astype(object).where(frame.notna()))[list(RELATIVE_COLUMNS)]


def _load_pyfunc(data_path):
    """What MLflow calls with the folder of the bundle."""
    model = Model.load(data_path)
    return ServedLethal(model) if isinstance(model, LethalBundle) else ServedModel(model)

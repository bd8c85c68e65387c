"""How MLflow reads a bundle back: data in, calibrated risk out, nothing unpickled."""

import pandas as pd

from riskml.models.bundle import Model

__all__ = ["ServedModel"]


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


def _load_pyfunc(data_path):
    """What MLflow calls with the folder of the bundle."""
    return ServedModel(Model.load(data_path))

"""riskml: risk prediction and fatality review for a registry of domestic-violence aggressors.

A second opinion for analysts, on two clocks: when a thing happened and when the registry learnt it. It never
assigns a level. The public face is what this module names; `riskml --help` lists the commands.

>>> import riskml
>>> ws = riskml.open_workspace(".")                                          # doctest: +SKIP
>>> history = ws.take_history()                                              # doctest: +SKIP
>>> model = riskml.train(ws.model("escalation"), history)                    # doctest: +SKIP
>>> opinion = riskml.score(model, history, as_of="2026-01-05")               # doctest: +SKIP
"""

from importlib import import_module

from riskml.errors import RiskmlError

# Where each public name lives. Imported on first use: LightGBM, MLflow and their company take seconds to
# load, and `riskml --help` needs none of them.
_PUBLIC = {
    "History": "riskml.registry.history",
    "Model": "riskml.models.bundle",
    "assessments": "riskml.outcomes.cohort",
    "build_features": "riskml.engines.features",
    "explain": "riskml.explain.case",
    "init_workspace": "riskml.workspace",
    "label_outcomes": "riskml.outcomes.labels",
    "load_catalogue": "riskml.features.catalogue",
    "open_workspace": "riskml.workspace",
    "read_narrative": "riskml.narratives.reading",
    "read_narratives": "riskml.narratives.reading",
    "score": "riskml.engines.scores",
    "simulate": "riskml.simulation.simulate",
    "train": "riskml.workspace",
    "train_frame": "riskml.training.frame",
    "write_features": "riskml.engines.features",
    "write_scores": "riskml.engines.scores",
}

__all__ = ["RiskmlError", *sorted(_PUBLIC)]
__version__ = "0.1.0"


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'riskml' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_PUBLIC])

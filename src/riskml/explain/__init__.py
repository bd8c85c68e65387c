"""Why a model says what it says: exact SHAP values, reasons in words, and what would change them.

The package can be called: `riskml.explain(opinion, case_id)` is `riskml.explain.case.explain`, whichever of
the two was imported first.
"""

import sys
from types import ModuleType


class _CallablePackage(ModuleType):
    def __call__(self, *arguments, **named):
        from riskml.explain.case import explain

        return explain(*arguments, **named)


sys.modules[__name__].__class__ = _CallablePackage

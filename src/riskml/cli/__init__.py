"""The command line: `riskml --help`."""

import logging
import os
import sys
import warnings

__all__ = ["main"]


def _quieten():
    """Keep other people's banners and row data out of our output."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    for name in ("mlflow", "alembic", "sqlalchemy", "matplotlib", "numba", "shap"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")


def _message(error):
    """One readable message for an error of the input or the machine; None for a defect of riskml."""
    import sqlalchemy.exc

    from riskml.errors import RiskmlError

    if isinstance(error, RiskmlError):
        return str(error)
    if isinstance(error, OSError):
        # strerror and filename only: the arguments of some OSErrors hold more than a path.
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}{error.strerror or type(error).__name__}\nCheck that the path exists and can be written."
        )
    if isinstance(error, sqlalchemy.exc.OperationalError | sqlalchemy.exc.DatabaseError):
        # The statement, its parameters and the driver's own words may hold a row's values.
        reason = type(error if error.orig is None else error.orig).__name__
        return (
            f"registry: the database refused ({reason})\n"
            "Nothing more was written. `riskml doctor` checks the connection."
        )
    return None


def main(arguments=None):
    """Run one command and exit: 0 done, 2 bad input (one readable message), 1 a defect of riskml itself.

    Parameters
    ----------
    arguments : list of str or None    None: those of the process
    """
    from riskml.cli.app import app

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    else:
        _quieten()
    try:
        app(args=arguments, prog_name="riskml")
    except KeyboardInterrupt:
        print("Stopped; nothing more was written.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        text = _message(error)
        if text is None:
            print(
                f"riskml itself failed ({type(error).__name__}).\n"
                "Run the command again with --debug to see where.",
                file=sys.stderr,
            )
            sys.exit(1)
        print(text, file=sys.stderr)
        sys.exit(2)

"""The one error that users meet: what is wrong, where, and how to mend it."""

__all__ = ["RiskmlError"]


class RiskmlError(ValueError):
    """Bad input. The message says what is wrong, where it is, and how to mend it.

    The command line prints it without a traceback and exits with code 2. A message never holds a name, a
    phone number, an address, or the text of a narrative: rows are named by table, position and column.

    Parameters
    ----------
    what : str    what is wrong
    where : str   file and line, table and column, or the argument's name; empty where `what` says it
    mend : str    what the reader can do about it
    """

    def __init__(self, what, *, where="", mend=""):
        self.what, self.where, self.mend = what, where, mend
        head = f"{where}: {what}" if where else what
        super().__init__(f"{head}\n{mend}" if mend else head)

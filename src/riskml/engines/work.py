"""A piece of work on a history: its parts, what each of them reads, and who does it."""

from collections import defaultdict
from dataclasses import dataclass

from riskml.engines.moments import GivenCohort
from riskml.engines.parts import Parts, links_of, parts_of
from riskml.errors import RiskmlError
from riskml.features.matrix import build_features
from riskml.registry.history import History
from riskml.settings import ENGINES
from riskml.vocabulary import did_you_mean

__all__ = ["PART_BYTES", "Work", "check_engine"]

PART_BYTES = 512 * 2**20  # of matrix and facts; what is in work takes some twice as much
_FACT_BYTES = 200  # of a fact as it is laid out for the sweep


def check_engine(engine, where="engine"):
    """The engine's name; RiskmlError where there is none of that name."""
    if engine not in ENGINES:
        near = did_you_mean(str(engine), ENGINES)
        raise RiskmlError(
            f'unknown engine "{engine}"', where=where, mend=near or 'Use "embedded" or "spark".'
        )
    return engine


@dataclass(frozen=True, eq=False)
class Work:
    """What is to be done with a history, part by part.

    Attributes
    ----------
    history : History
    cohort : GivenCohort, or a rule with `frame`, `numbers` and `reads`
    parts : Parts
    reads : dict of table name -> list of columns    what the parts need
    """

    history: History
    cohort: object
    parts: Parts
    reads: dict

    @classmethod
    def of(cls, history, cohort, catalogue, *, parts=None, least=1):
        """Plan the work.

        Parameters
        ----------
        history : History
        cohort : see above
        catalogue : Catalogue
        parts : int or None      how many parts; None: so many that each is of PART_BYTES, and `least`
        least : int

        Raises
        ------
        RiskmlError    the history lacks what the catalogue reads; no part at all is asked for
        """
        heads = history.heads()
        build_features(heads, _no_assessments(), catalogue)  # tells what is missing before any work is done
        if parts is not None and parts < 1:
            raise RiskmlError(f"{parts} parts", where="parts", mend="Ask for at least one.")
        reads = defaultdict(set)
        for source in (catalogue.tables_read, cohort.reads):
            for name, names in source.items():
                reads[name] |= names
        reads = {
            name: [c for c in heads.table(name).column_names if c in names] for name, names in reads.items()
        }
        facts = sum(history.row_count(name) for name in reads) * _FACT_BYTES

        def work(ids, cases, codes):
            return cohort.numbers(ids, cases, codes) * (len(catalogue.columns) * 8.0) + facts / max(
                len(ids), 1
            )

        def number(total):
            return parts or max(least, -(-total // PART_BYTES))

        return cls(history, cohort, parts_of(history, links_of(catalogue), work, number), reads)

    @property
    def given(self):
        """Whether the assessments are given, bool; else each part makes its own."""
        return isinstance(self.cohort, GivenCohort)

    def cuts(self):
        """The pieces in which the tables are read: yields (table name, cut)."""
        for name in self.reads:
            for cut in self.history.cuts(name):
                yield name, cut

    def cohort_split(self):
        """What each part gets of a cohort that was given: yields (part, pyarrow.Table)."""
        if self.given:
            yield from self.cohort.split(self.parts)

    def complete(self, tables):
        """A part's tables with an empty one for each that it has no row of: dict of pyarrow.Table."""
        heads = self.history.heads()
        empty = {name: heads.table(name).select(columns) for name, columns in self.reads.items()}
        return {**empty, **tables}


def _no_assessments():
    import pandas as pd

    times = pd.array([], dtype="datetime64[us]")
    return pd.DataFrame({"case_id": pd.array([], dtype="str"), "as_of": times})

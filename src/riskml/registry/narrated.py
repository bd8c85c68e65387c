"""Factors that the incidents' narratives state, on their way into a history.

The registry's side reads the text; the rules that say what a text states are given to it, so that this room
knows none. `read` is an object with

    hash                     str: of the rules; the same rules read the same
    may_show(word)           whether a quote may show a word, without case and accents
    read(texts, advance)     parts of the texts in their order, as they are read: for each a list with one
                             entry per text, (factor, state, quote) for each factor that it states;
                             `advance(n)` is called with the number of texts done

and is a context manager that holds what reading needs. A factor becomes a row with the case, incident, source
and clocks of its incident: a correction of the incident corrects it. What the registry has coded itself for
the same incident and factor stands instead of it, from the moment at which that was known.
"""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskml.registry.canonical import POSITION
from riskml.registry.contract import TABLES
from riskml.registry.history import ARROW_TYPES
from riskml.registry.masking import NameMask, QuoteMask

__all__ = ["NarratedFactors"]

_SCHEMA = pa.schema(
    [(c.name, ARROW_TYPES[c.kind]) for c in TABLES["factors"].history_columns] + [(POSITION, pa.int64())]
)
_OF_INCIDENT = ("case_id", "incident_id", "source", "occurred_at", "recorded_at", "superseded_at", POSITION)
# What was coded and known by then leaves no time in which the narrative's row would stand.
_JOINED = """
    WITH coded AS (
        SELECT incident_id, factor, min(greatest(recorded_at, occurred_at)) AS known_at
        FROM read_parquet($coded) WHERE incident_id IS NOT NULL GROUP BY ALL
    )
    SELECT n.* REPLACE (least(n.superseded_at, coded.known_at) AS superseded_at),
        coalesce(coded.known_at <= greatest(n.recorded_at, n.occurred_at), false) AS already,
        coded.known_at IS NOT NULL AS later
    FROM (SELECT DISTINCT * FROM read_parquet($narrated)) AS n LEFT JOIN coded USING (incident_id, factor)
"""


class NarratedFactors:
    """Collects the rows, masks names in their quotes, and joins them to what the registry has coded.

    Parameters
    ----------
    read : object              reads narratives, as the module says
    folder : Path              for what has been collected; removed by the caller
    factors : FactorVocabulary
    """

    def __init__(self, read, folder, factors):
        self._read, self._file = read, folder / "narrated.parquet"
        self._pairs = QuoteMask.of(factors).pairs
        self._mask, self._writer = NameMask(self._pairs), None
        self._counts = {"read": 0, "names_masked": 0, "coded_later": 0}
        self._rows, self._already = Counter(), Counter()

    def may_show(self, word):
        """Whether a quote may show a word: bool."""
        return self._read.may_show(word)

    def mask(self, names):
        """Take in the names that stand in the registry: none of them is shown in a quote."""
        self._mask = NameMask(self._pairs, names)

    def __enter__(self):
        self._read.__enter__()
        self._writer = pq.ParquetWriter(self._file, _SCHEMA)
        return self

    def __exit__(self, *raised):
        self._writer.close()
        return self._read.__exit__(*raised)

    def add(self, incidents, narratives, advance):
        """Read the narratives of some incidents.

        Parameters
        ----------
        incidents : pyarrow.Table            as they enter a history, with `POSITION`, shape (n,)
        narratives : pyarrow.StringArray     shape (n,), with nulls
        advance : callable                   told how many more have been read
        """
        first, texts = 0, narratives.to_pylist()
        for part in self._read(texts, advance):
            stated = [(first + place, *said) for place, found in enumerate(part) for said in found]
            first += len(part)
            if stated:
                self._write(incidents, stated)
        self._counts["read"] += sum(bool(text and text.strip()) for text in texts)

    def _write(self, incidents, stated):
        places, factors, states, quotes = zip(*stated, strict=True)
        of_incident = incidents.select(_OF_INCIDENT).take(pa.array(places, pa.int64()))
        columns = {name: of_incident[name] for name in _OF_INCIDENT}
        evidence = [self._mask(quote) for quote in quotes]
        self._counts["names_masked"] += sum(a != b for a, b in zip(evidence, quotes, strict=True))
        columns |= {"factor": pa.array(factors), "state": pa.array(states), "evidence": pa.array(evidence)}
        self._writer.write_table(pa.table({name: columns[name] for name in _SCHEMA.names}, schema=_SCHEMA))

    def join(self, sorter, coded):
        """Add the rows to the file of the registry's own, where nothing was coded before.

        Parameters
        ----------
        sorter : Sorter
        coded : Path    of the factors that the registry has coded; replaced
        """
        both = coded.with_name("factors_and_narrated.parquet")
        with pq.ParquetWriter(both, _SCHEMA) as writer:
            for batch in pq.ParquetFile(coded).iter_batches():
                writer.write_batch(batch)
            for batch in sorter.batches(_JOINED, {"coded": str(coded), "narrated": str(self._file)}):
                self._take(batch, writer)
        both.replace(coded)

    def _take(self, batch, writer):
        said = zip(
            *(batch[name].to_pylist() for name in ("factor", "state", "already", "later")), strict=True
        )
        for factor, state, already, later in said:
            if already:
                self._already[factor] += 1
            else:
                self._rows[factor, state] += 1
                self._counts["coded_later"] += later
        new = batch.filter(pc.invert(batch["already"]))
        writer.write_batch(new.select(_SCHEMA.names).cast(_SCHEMA))

    def summary(self):
        """For the manifest: dict.

        `rules` their hash; `read` narratives that hold a text; `rows` added, by factor and state, of which
        `coded_later` stand only until the registry coded the factor itself; `coded_already` left out, by
        factor, for the registry had; `names_masked` quotes that held a name of the registry.
        """
        rows = {}
        for (factor, state), count in sorted(self._rows.items()):
            rows.setdefault(factor, {})[state] = count
        already = dict(sorted(self._already.items()))
        return {"rules": self._read.hash, **self._counts, "rows": rows, "coded_already": already}

"""The assessments that a matrix is built for: which cases, at which moments."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskml.errors import RiskmlError
from riskml.features.arrays import codes_among, frozen
from riskml.vocabulary import did_you_mean

__all__ = ["Assessments"]

_STRANGERS = 20  # so many cases, and not one of them in the history: the cohort is of another history, or key
_MEND = "A cohort is a frame with case_id and as_of; riskml.assessments(history) makes one."


@dataclass(frozen=True)
class Assessments:
    """A cohort as the sweep takes it.

    Attributes
    ----------
    index : pandas.MultiIndex       case_id, as_of, in the cohort's order
    cases : pyarrow.Array           the distinct cases, ascending
    case_codes : array of int32     position of each assessment's case in `cases`
    times : array of int64          as_of, microseconds since 1970
    """

    index: pd.MultiIndex
    cases: pa.Array
    case_codes: np.ndarray
    times: np.ndarray

    def __len__(self):
        return len(self.times)

    @classmethod
    def of(cls, cohort):
        """The assessments of a frame with `case_id` and `as_of`.

        Raises
        ------
        RiskmlError    no frame, a column is missing, a case or a time is null, times that are not naive times
        """
        if isinstance(cohort, pa.Table):
            cohort = cohort.to_pandas()
        if not isinstance(cohort, pd.DataFrame):
            raise RiskmlError(f"a cohort is a frame, not {type(cohort).__name__}", where="cohort", mend=_MEND)
        missing = [name for name in ("case_id", "as_of") if name not in cohort.columns]
        if missing:
            near = " ".join(filter(None, (did_you_mean(name, cohort.columns) for name in missing)))
            raise RiskmlError(f"missing columns: {', '.join(missing)}", where="cohort", mend=near or _MEND)
        moments, times = _moments(cohort["as_of"])
        time_codes, time_level = pd.factorize(moments, sort=True)
        cases, case_codes = _cases(cohort["case_id"])
        index = pd.MultiIndex(
            levels=[pd.Index(cases.to_pandas()), time_level],
            codes=[case_codes, time_codes],
            names=["case_id", "as_of"],
            verify_integrity=False,
        )
        return cls(index, cases, case_codes, times)

    def among(self, case_ids):
        """Position of each assessment's case among the ids of a history: array of int32, -1 where it is not.

        Raises
        ------
        RiskmlError    none of many cases is there
        """
        codes = codes_among(self.cases.cast(case_ids.type), case_ids)
        if len(case_ids) and len(codes) >= _STRANGERS and codes.max() < 0:
            raise RiskmlError(
                f"none of its {len(codes):,} cases is in the history",
                where="cohort",
                mend="Its ids are of another history, or of another key: take the cohort from this one.",
            )
        return frozen(np.append(codes, np.int32(-1))[self.case_codes])


def _nulls(values, name):
    if values.null_count:
        raise RiskmlError(
            f"{name} is empty in {values.null_count:,} of {len(values):,} rows",
            where="cohort",
            mend="Drop these rows.",
        )


def _moments(column):
    """The column as times of pandas, and in microseconds; what is finer than a microsecond is cut off."""
    zone = column.dtype.tz if isinstance(column.dtype, pd.DatetimeTZDtype) else None
    values = pa.array(column if zone is None else column.array.tz_localize(None), from_pandas=True)
    if pa.types.is_timestamp(values.type):
        zone = zone or values.type.tz
    if zone is not None:
        raise RiskmlError(
            f"as_of is in the timezone {zone}; the registry's times have none",
            where="cohort",
            mend="Make it the registry's local time: as_of.dt.tz_convert(timezone).dt.tz_localize(None).",
        )
    _nulls(values, "as_of")
    if not len(values):  # no rows: of whatever type
        values = pa.array([], pa.timestamp("us"))
    types = pa.types
    try:
        if not (types.is_timestamp(values.type) or types.is_date(values.type) or _is_text(values.type)):
            raise pa.ArrowInvalid
        micro = values.cast(pa.timestamp("us"), safe=not types.is_timestamp(values.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise RiskmlError(
            f"as_of holds {values.type}, which does not read as times",
            where="cohort",
            mend="Give naive timestamps.",
        ) from None
    if isinstance(micro, pa.ChunkedArray):
        micro = micro.combine_chunks()
    times = frozen(micro.cast(pa.int64()).to_numpy(zero_copy_only=False))
    naive = isinstance(column.dtype, np.dtype) and column.dtype.kind == "M"
    return column.array if naive else pd.array(times.view("datetime64[us]")), times


def _is_text(type_):
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _cases(column):
    values = pa.array(column, from_pandas=True)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not len(values):
        values = pa.array([], pa.string())
    _nulls(values, "case_id")
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    encoded = pc.dictionary_encode(values).unify_dictionaries()
    distinct = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], values.type)
    ascending = pc.sort_indices(distinct).to_numpy()
    rank = np.empty(len(distinct), np.int32)
    rank[ascending] = np.arange(len(distinct), dtype=np.int32)
    codes = [rank[chunk.indices.to_numpy()] for chunk in encoded.chunks]
    return distinct.take(pa.array(ascending)), np.concatenate(codes) if codes else rank

"""A task's tables written to a folder by whichever engine."""

import warnings

import riskml
from riskml.engines.folder import WriteTask, finished, staged
from riskml.engines.local import work_here
from riskml.engines.work import PART_BYTES, Work

__all__ = ["write_parts"]

_LARGE = 8  # times the size of a part: worth a word


def write_parts(history, cohort, catalogue, task, folder, *, engine, parts, about, if_empty=None):
    """Do a task with every part and write what it gives.

    Parameters
    ----------
    history : History
    cohort, catalogue, parts : as of `Work.of`
    task : callable of a part's tables -> pyarrow.Table, with a `schema`
    folder : path
    engine : "embedded" or "spark"
    about : dict    what the manifest says besides files and rows
    if_empty : callable or None    gives the error to raise where there is no row at all

    Returns
    -------
    Written
    """
    with staged(folder) as staging:
        writing = WriteTask(task, str(staging))
        if engine == "spark":
            from riskml.engines.spark import spark_session, work_on_spark

            spark = spark_session()
            least = 2 * spark.sparkContext.defaultParallelism
            work = Work.of(history, cohort, catalogue, parts=parts, least=least)
            _tell_of_giants(work)
            receipts = work_on_spark(spark, work, writing)
        else:
            work = Work.of(history, cohort, catalogue, parts=parts)
            _tell_of_giants(work)
            receipts = work_here(work, writing, staging)
        if if_empty is not None and not any(receipt.num_rows for _, receipt in receipts):
            raise if_empty()
        largest = {"cases": work.parts.largest, "share_of_work": round(work.parts.largest_share, 6)}
        about = {"riskml": riskml.__version__, "engine": engine, **about, "largest_component": largest}
        return finished(folder, staging, receipts, about)


def _tell_of_giants(work):
    """Warn of a component that no part can be smaller than: a shared id such as "unknown" makes one."""
    if work.parts.largest_bytes > _LARGE * PART_BYTES:
        warnings.warn(
            f"{work.parts.largest:,} cases hang together through shared aggressors or victims "
            f"({work.parts.largest_share:.0%} of the work) and are computed in one part, which takes about "
            f"{3 * work.parts.largest_bytes / 2**30:.0f} GiB. The numbers are right. An id that stands for "
            "many persons, such as one for all unknown victims, makes such a part: give each her own.",
            stacklevel=4,
        )

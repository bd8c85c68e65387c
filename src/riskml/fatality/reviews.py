"""Coded reviews: what a team found out of closed cases, kept under `reviews/` by content hash."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.form import ABSENT, PRESENT, SHEETS
from riskml.features.factor_states import DENIED
from riskml.features.factor_states import PRESENT as STATE_PRESENT
from riskml.features.factor_states import UNKNOWN as STATE_UNKNOWN
from riskml.kept import begun_with, kept, latest, point_latest

__all__ = ["Reviews", "empty_sheet", "kept_reviews", "read_reviews", "typed_sheet"]

_FORMAT = "riskml reviews 1"
_MANIFEST = "manifest.json"
# Columns that loading adds to those of the form.
_ADDED = {"factors": ("coders", "agreed"), "people": ("age_low", "age_high")}


def _columns(name):
    """The columns of a frame of `Reviews`, each held as "date", "number" or "text": dict of name -> kind."""
    kinds = {f.name: "date" if f.kind == "date" else "text" for f in SHEETS[name].fields}
    if name == "people":
        del kinds["age"]
        kinds |= dict.fromkeys(_ADDED[name], "number")
    if name == "factors":
        del kinds["coder"]
        kinds |= {"coders": "number", "agreed": "text"}
    return kinds


def typed_sheet(name, rows):
    """Rows of a sheet as `Reviews` holds them.

    Parameters
    ----------
    name : str    of SHEETS
    rows : DataFrame or list of dict
        in the form's columns and codes; people have age_low and age_high (years) for age; factors have, for
        coder, coders (how many coded it) and agreed ("yes", "no": coders differ and nobody decided, the state
        is then unknown)

    Returns
    -------
    DataFrame    dates as datetime64[us] (NaT), numbers as float (NaN), texts as object (None)
    """
    frame = pd.DataFrame(rows)
    made = {}
    for column, kind in _columns(name).items():
        values = frame[column] if column in frame.columns else pd.Series([None] * len(frame), dtype=object)
        if kind == "date":
            made[column] = pd.to_datetime(values).astype("datetime64[us]")
        elif kind == "number":
            made[column] = pd.to_numeric(values).astype(float)
        else:
            values = values.astype(object)
            made[column] = values.where(values.notna(), None)
    return pd.DataFrame(made).reset_index(drop=True)


def empty_sheet(name):
    """A sheet without rows: DataFrame of `typed_sheet`."""
    return typed_sheet(name, [])


@dataclass(frozen=True, eq=False)
class Reviews:
    """Coded reviews of closed cases.

    Attributes
    ----------
    cases : DataFrame
        one row per reviewed case; `case_id` is the pseudonym of its case in a history, None where no case is
        known; `event_on` is the day of the event, on the clock of what happened
    people, contacts, factors, missed, recommendations : DataFrame    of `typed_sheet`
    about : dict                 source, coders' agreement, whether synthetic, key fingerprint of pseudonyms
    """

    cases: pd.DataFrame
    people: pd.DataFrame
    contacts: pd.DataFrame
    factors: pd.DataFrame
    missed: pd.DataFrame
    recommendations: pd.DataFrame
    about: dict = field(default_factory=dict)

    @classmethod
    def of(cls, sheets, about=None):
        """Reviews of frames by sheet; sheets that are left out are empty."""
        frames = {name: typed_sheet(name, sheets.get(name, [])) for name in SHEETS}
        return cls(**frames, about=dict(about or {}))

    def __len__(self):
        return len(self.cases)

    def sheet(self, name):
        """One frame by the sheet's name: DataFrame."""
        return getattr(self, name)

    @cached_property
    def hash(self):
        """Content hash of all sheets, str; the order of rows counts, `about` does not."""
        digest = hashlib.sha256()
        for name in SHEETS:
            frame = self.sheet(name)
            digest.update(f"{name}{list(frame.columns)}".encode())
            digest.update(frame.to_json(orient="values", date_format="iso", force_ascii=False).encode())
        return digest.hexdigest()

    @property
    def linked(self):
        """Cases that stand in the registry: DataFrame of review_id, case_id, kind, event_on, relationship."""
        columns = ["review_id", "case_id", "kind", "event_on", "relationship"]
        return self.cases.loc[self.cases["case_id"].notna(), columns].reset_index(drop=True)

    def known_before(self):
        """Factor rows of which it is said that they were known before the event: DataFrame.

        A row counts where `known` is "before" and no date says otherwise. What nobody dated counts as coded;
        a row whose `known` is unknown counts only where its date lies before the day of the event.
        """
        rows = self.factors.merge(self.cases[["review_id", "event_on"]], on="review_id", how="left")
        dated = rows["known_on"].notna()
        before = (rows["known"] == "before") & (~dated | (rows["known_on"] < rows["event_on"]))
        before |= (rows["known"] == "unknown") & dated & (rows["known_on"] < rows["event_on"])
        return self.factors[before.to_numpy()]

    def states(self, codes, *, known="ever", by=None):
        """State of each factor in each reviewed case.

        Parameters
        ----------
        codes : sequence of str
        known : "ever" or "before"    all that was found out, or what was known before the event
        by : Series of Timestamp, index review_id, or None    only what is dated on that day or before it

        Returns
        -------
        int8 array, shape (cases, codes)    1 present, 0 absent, -1 unknown (`features.factor_states`); what
            the sheet does not speak of is unknown
        """
        rows = self.factors if known == "ever" else self.known_before()
        if by is not None:
            limit = rows["review_id"].map(by)
            rows = rows[(rows["known_on"] <= limit).to_numpy(bool)]
        states = np.full((len(self.cases), len(codes)), STATE_UNKNOWN, np.int8)
        row = pd.Index(self.cases["review_id"]).get_indexer(rows["review_id"])
        column = pd.Index(list(codes)).get_indexer(rows["factor"])
        value = rows["state"].map({PRESENT: STATE_PRESENT, ABSENT: DENIED}).fillna(STATE_UNKNOWN)
        here = (row >= 0) & (column >= 0)
        np.maximum.at(states, (row[here], column[here]), value.to_numpy(np.int8)[here])
        return states

    def save(self, folder):
        """Keep the reviews under `folder/<hash>` in one step and make them the latest: Path."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / self.hash
        partial = Path(tempfile.mkdtemp(prefix=".", dir=folder))
        try:
            for name in SHEETS:
                self.sheet(name).to_parquet(partial / f"{name}.parquet", index=False)
            manifest = {
                "format": _FORMAT,
                "hash": self.hash,
                "cases": len(self),
                "about": self.about,
            }
            (partial / _MANIFEST).write_text(
                json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
            )
            os.chmod(partial, 0o700)
            if target.is_dir():
                shutil.rmtree(target)
            os.replace(partial, target)
        finally:
            if partial.is_dir():
                shutil.rmtree(partial)
        point_latest(folder, self.hash)
        return target


def read_reviews(folder):
    """Read reviews that were kept: Reviews.

    Raises
    ------
    RiskmlError    nothing there, or not what was written
    """
    folder = Path(folder)
    again = "Load the workbook again with `riskml fatality load`."
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        frames = {name: typed_sheet(name, pd.read_parquet(folder / f"{name}.parquet")) for name in SHEETS}
    except (OSError, ValueError, KeyError):
        raise RiskmlError("these reviews do not read", where=str(folder), mend=again) from None
    reviews = Reviews(**frames, about=manifest.get("about", {}))
    if reviews.hash != manifest.get("hash"):
        raise RiskmlError("these reviews were changed since they were loaded", where=str(folder), mend=again)
    return reviews


def kept_reviews(folder, content_hash=None):
    """The latest reviews under a folder, or those whose content hash begins so: Reviews.

    Raises
    ------
    RiskmlError    none were loaded, none or more than one begins so, or they do not read
    """
    folder = Path(folder)
    if content_hash is None:
        content_hash = latest(folder)
        if content_hash is None:
            raise RiskmlError(
                "no reviews yet",
                where=str(folder),
                mend="`riskml fatality template` writes the form, `riskml fatality load` reads it back.",
            )
    found = begun_with(folder, content_hash)
    if len(found) != 1:
        raise RiskmlError(
            f'{"no" if not found else "more than one"} reviews "{content_hash}"',
            where=str(folder),
            mend=f"There are: {', '.join(path.name[:12] for path in kept(folder)) or 'none'}.",
        )
    return read_reviews(found[0])

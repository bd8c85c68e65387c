"""What an item of a report is made of: paragraphs, lists, facts, tables, figures, lines to fill in."""

from dataclasses import dataclass, field

from riskml.messages import message
from riskml.reporting.document import missing_words, part

__all__ = ["Review", "facts", "fill", "heading", "listing", "missing", "plain_cell", "table", "text"]


def text(words):
    """A paragraph."""
    return {"kind": "text", "text": words}


def heading(words):
    """A heading within an item."""
    return {"kind": "heading", "text": words}


def listing(items):
    """A bulleted list."""
    return {"kind": "list", "items": [item for item in items if item]}


def facts(pairs):
    """Labels with their values."""
    return {"kind": "facts", "items": [pair for pair in pairs if pair[1] not in (None, "")]}


def fill(words):
    """Something that only a person can say, with a line for it."""
    return {"kind": "fill", "text": words}


def missing(words):
    """Something that is not available, and why."""
    return {"kind": "missing", "text": words}


def plain_cell(value, why=""):
    """A cell without an interval, with a remark or none."""
    return {"value": value, "interval": "", "why": why}


def table(title, head, rows, *, dense=False):
    """A table; `rows` are lists of cells or of str, or dicts of cells and kind.

    Parameters
    ----------
    title : str
    head : list of str
    rows : list
    dense : bool    many columns: smaller letters
    """
    made = []
    for row in rows:
        cells, kind = (row["cells"], row.get("kind", "")) if isinstance(row, dict) else (row, "")
        made.append({"kind": kind, "cells": [c if isinstance(c, dict) else plain_cell(c) for c in cells]})
    return {"kind": "table", "title": title, "head": head, "rows": made, "dense": dense}


@dataclass(frozen=True)
class Review:
    """A model with its validation document and drawn figures, in the language of the reader.

    Attributes
    ----------
    model : Model
    validation : dict          of `riskml.training.validate`, or of what there is of it
    language : "es" or "en"
    images : dict of figure -> Markup
    """

    model: object
    validation: dict
    language: str
    images: dict = field(default_factory=dict)

    @property
    def report(self):
        """What the training measured: dict."""
        return self.model.report

    @property
    def card(self):
        """What the bundle says of itself: dict."""
        return self.model.card

    def t(self, name, /, **fields):
        """A message of `model_review`."""
        return message(f"model_review.{name}", self.language, **fields)

    def own(self, *path):
        """A part of the training report, or None."""
        return part(self.report, *path)

    def part(self, *path):
        """A part of the validation document, or None."""
        return part(self.validation, *path)

    def words(self, found):
        """Words by language, in the reader's: str; empty where there are none."""
        return found.get(self.language, "") if isinstance(found, dict) else ""

    def absent(self, *path):
        """A block that says why a part of the validation document is missing."""
        return missing(missing_words(self.validation, *path, language=self.language))

    def figure(self, name, *path):
        """A figure with its three texts; why there is none where it could not be drawn.

        Parameters
        ----------
        name : str    of validation_figures.FIGURES
        path : str    where its data stand in the validation document
        """
        if name not in self.images:
            words = missing_words(self.validation, *path, language=self.language)
            return missing(f"{self.t(f'figure_{name}')}. {words}")
        return {
            "kind": "figure",
            "name": name,
            "title": self.t(f"figure_{name}"),
            "image": self.images[name],
            "useful": self.t(f"{name}_useful"),
            "read": self.t(f"{name}_read"),
            "do": self.t(f"{name}_do"),
        }

    def chosen_row(self):
        """The chosen candidate's row of the comparison, or None."""
        chosen = self.report.get("chosen")
        return next((row for row in self.report.get("comparison", ()) if row["candidate"] == chosen), None)

    def window(self, name="evaluate"):
        """A window of the split, or None."""
        windows = self.own("split", "windows") or ()
        return next((window for window in windows if window["window"] == name), None)

    def metric(self, name):
        """Estimate, low and high of the model's metric, from the validation or else from the report."""
        found = self.part("performance", "metrics", name)
        if found:
            return found.get("estimate"), found.get("low"), found.get("high")
        row = self.chosen_row() or {}
        return row.get(name), row.get(f"{name}_low"), row.get(f"{name}_high")

    def label_of(self, candidate):
        """What a candidate of the comparison is called: str."""
        for row in self.report.get("comparison", ()):
            if row["candidate"] == candidate:
                return self.words(row["label"])
        return str(candidate)

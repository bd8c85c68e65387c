"""TRIPOD+AI's items in their order, each with what riskml knows of it or a line for a person to fill in.

The order and numbers follow the statement (EVIDENCE 5.1, [S:89, S:90]); titles and texts are a paraphrase.
"""

from riskml.reporting.review_background import BACKGROUND
from riskml.reporting.review_methods import METHODS
from riskml.reporting.review_results import RESULTS
from riskml.reporting.review_use import USE

__all__ = ["SECTIONS", "tripod_items"]

SECTIONS = {
    "title": ("1",),
    "abstract": ("2",),
    "introduction": ("3a", "3b", "3c", "4"),
    "methods": (
        *("5a", "5b", "6a", "6b", "6c", "7", "8a", "8b", "8c", "9a", "9b", "9c", "10", "11"),
        *("12a", "12b", "12c", "12d", "12e", "12f", "12g", "13", "14", "15", "16", "17"),
    ),
    "open_science": ("18a", "18b", "18c", "18d", "18e", "18f"),
    "involvement": ("19",),
    "results": ("20a", "20b", "20c", "21", "22", "23a", "23b", "24"),
    "discussion": ("25", "26"),
    "usability": ("27a", "27b", "27c"),
}
BLOCKS = BACKGROUND | METHODS | RESULTS | USE


def tripod_items(review, own=None):
    """The report's items, in order.

    Parameters
    ----------
    review : Review
    own : dict of number -> callable `block(review) -> list`, or None    items of another kind of model

    Returns
    -------
    list of dict    section (its title), items: list of dict of number, title, blocks
    """
    filled = BLOCKS | (own or {})
    return [
        {
            "code": section,
            "title": review.t(f"section_{section}"),
            "items": [
                {
                    "number": number,
                    "title": review.t(f"item_{number}"),
                    "blocks": [block for block in filled[number](review) if block],
                }
                for number in numbers
            ],
        }
        for section, numbers in SECTIONS.items()
    ]

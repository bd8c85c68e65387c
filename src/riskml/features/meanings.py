"""What a feature computes, in words that somebody who reads no SQL can check."""

import re

__all__ = ["meaning", "plain_condition"]

_AGGREGATES = {
    "count": "how many",
    "any": "whether there is any (0 or 1)",
    "sum": "total of `{column}` over",
    "mean": "mean of `{column}` over",
    "max": "highest `{column}` among",
    "distinct": "how many different `{column}` among",
    "days_since": "days since the last of the",
    "days_since_first": "days since the first of the",
    "days_since_second": "days since the last but one (episodes a day apart) of the",
    "days_since_third": "days since the last but two (episodes a day apart) of the",
    "days_since_expiry": "days since the last expired without being ended before, of the",
    "latest": "last known `{column}` of the",
    "in_force": "whether any is in force (0 or 1) of the",
    "days_to_expiry": "days until the first expires of the",
}
_OVER = {"case": "", "aggressor": ", in all cases of the aggressor", "victim": ", in all cases of the victim"}
# What is left of a formula's SQL once its columns are said by their labels.
_COLUMN = r"(\0[0-9]+\0)"
_WORDS = (
    (rf"\(NOT \({_COLUMN} IS NULL\)\)", r"\1 is known"),
    (rf"NOT \({_COLUMN} IS NULL\)", r"\1 is known"),
    (rf"\({_COLUMN} IS NULL\)", r"\1 is unknown"),
    (rf"{_COLUMN} IS NULL", r"\1 is unknown"),
    (rf"{_COLUMN} = '(\w+)'", r"\1 is \2"),
    (rf"{_COLUMN} <> '(\w+)'", r"\1 is not \2"),
    (r"\bAND\b", "and"),
    (r"\bOR\b", "or"),
    (r"\bNOT\b", "not"),
    (r"\bIN \(", "is one of ("),
    (r"\bgreatest\(", "the greater of ("),
    (r"\bleast\(", "the least of ("),
    (r"\babs\(\((.*)\)\)", r"the size of (\1)"),
    (r"\bcoalesce\(", "the first known of ("),
    (r"\(CASE WHEN (.*?) THEN (\S+) ELSE (\S+) END\)", r"(\2 if \1, otherwise \3)"),
    (r"\bCASE WHEN\b", "if"),
    (r"\bWHEN\b", "; if"),
    (r"\bTHEN\b", "then"),
    (r"\bELSE\b", "; otherwise"),
    (r"\bEND\b", ""),
    (r" +;", ";"),
    (r" +\)", ")"),
)


def meaning(feature, catalogue):
    """What a feature computes: str, Markdown.

    Parameters
    ----------
    feature : Feature
    catalogue : Catalogue    whose columns a formula names
    """
    if feature.is_formula:
        return _formula_words(feature.formula, catalogue)
    over = "" if feature.table in ("aggressors", "victims") else _OVER[feature.over]
    words = f"{_AGGREGATES[feature.aggregate].format(column=feature.column)} {feature.table}{over}"
    if feature.where:
        words += f", where `{plain_condition(feature.where)}`"
    return words


def _formula_words(formula, catalogue):
    """A formula with the columns' labels in place of their names, and words in place of SQL."""
    labels = {column.name: f"«{column.label('en')}»" for column in catalogue.columns}
    words = plain_condition(formula)
    pieces = re.split(r"('[^']*'|\b[a-z]\w*\b)", words)
    # Labels go in last: what stands in them is no SQL.
    places = {f"\0{i}\0": labels[piece] for i, piece in enumerate(pieces) if piece in labels}
    words = "".join(f"\0{i}\0" if piece in labels else piece for i, piece in enumerate(pieces))
    for pattern, said in _WORDS:
        words = re.sub(pattern, said, words)
    words = _plain_sums(words.strip())
    for place, label in places.items():
        words = words.replace(place, label)
    return words


def _plain_sums(words):
    """A sum of sums without the parentheses around those that stand first: ((a + b) + c) -> (a + b + c)."""
    start = 0
    while (start := words.find("(", start)) >= 0:
        end = start + _closes(words[start:])
        inside = re.sub(r"\(.*?\)+", "", words[start + 1 : end])
        first = start == 0 or words[start - 1] == "("
        if first and words[end + 1 :].startswith(" + ") and re.fullmatch(r"[^-*/<>=]* \+ [^-*/<>=]*", inside):
            words = words[:start] + words[start + 1 : end] + words[end + 1 :]
        else:
            start += 1
    return words


def plain_condition(sql):
    """A canonical condition without the quotes and the outer parentheses that only a machine needs."""
    plain = re.sub(r'"(\w+)"', r"\1", sql)
    plain = re.sub(r"\((\w+ (?:=|<>|<|<=|>|>=) (?:'[^']*'|[\w.]+))\)", r"\1", plain)
    return plain[1:-1] if plain.startswith("(") and _closes(plain) == len(plain) - 1 else plain


def _closes(text):
    """Position of the parenthesis that closes the first one."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return position
    return -1

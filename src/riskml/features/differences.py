"""What sets two catalogues apart: what the numbers are made of, and what is only said of them."""

from dataclasses import dataclass

__all__ = ["Change", "Differences", "catalogue_differences"]

_WORDS = ("label", "evidence")


@dataclass(frozen=True)
class Change:
    """One property of one feature: `before` in the first catalogue, `after` in the other."""

    feature: str
    what: str
    before: object
    after: object


@dataclass(frozen=True)
class Differences:
    """What sets a second catalogue apart from a first.

    Attributes
    ----------
    added, removed : tuple of Feature    in one of them only
    renamed : tuple of (str, str)        the same definition under another name; neither added nor removed
    changed : tuple of Change            definitions: the numbers or the constraint are others
    reworded : tuple of Change           labels and evidence: the numbers are the same
    """

    added: tuple
    removed: tuple
    renamed: tuple
    changed: tuple
    reworded: tuple

    def __bool__(self):
        return any((self.added, self.removed, self.renamed, self.changed, self.reworded))


def catalogue_differences(first, second):
    """Compare two catalogues, feature by feature; the order of files and features makes no difference.

    Parameters
    ----------
    first, second : Catalogue

    Returns
    -------
    Differences    each part in the order of the second catalogue; what was removed, of the first
    """
    before, after = ({f.name: f for f in c.features} for c in (first, second))
    added = [f for name, f in after.items() if name not in before]
    removed = [f for name, f in before.items() if name not in after]
    renamed = _renamed(removed, added)
    gone, come = {old for old, _ in renamed}, {new for _, new in renamed}
    both = [(before[name], f) for name, f in after.items() if name in before]
    pairs = both + [(before[old], after[new]) for old, new in renamed]
    return Differences(
        added=tuple(f for f in added if f.name not in come),
        removed=tuple(f for f in removed if f.name not in gone),
        renamed=tuple(renamed),
        changed=tuple(change for a, b in both for change in _changes(a.definition(), b.definition(), b.name)),
        reworded=tuple(change for a, b in pairs for change in _changes(_words(a), _words(b), b.name)),
    )


def _words(feature):
    return feature.model_dump(mode="json", include=set(_WORDS))


def _changes(before, after, name):
    every = [what for what in {**before, **after} if before.get(what) != after.get(what)]
    return [Change(name, what, before.get(what), after.get(what)) for what in every]


def _renamed(removed, added):
    """Pairs of names with the same definition, where there is no doubt which became which."""

    def nameless(features):
        grouped = {}
        for feature in features:
            definition = {k: v for k, v in feature.definition().items() if k != "name"}
            grouped.setdefault(repr(sorted(definition.items())), []).append(feature.name)
        return {what: names[0] for what, names in grouped.items() if len(names) == 1}

    old, new = nameless(removed), nameless(added)
    return [(old[what], name) for what, name in new.items() if what in old]

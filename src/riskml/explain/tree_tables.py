"""Exact TreeSHAP for many rows: Shapley values tabulated by decision pattern once, then looked up row by row.

A path-dependent Shapley value depends on a row only through the yes/no decisions at the tree's nodes. So each
tree is cut into pieces of a few nodes; for every pattern of decisions in a piece the values of its leaves are
summed beforehand, and a row costs one comparison per node and one addition per feature of the piece.

References
----------
Nadel & Wettenstein (2026), From Decision Trees to Boolean Logic: A Fast and Unified SHAP Algorithm, AAAI
40(29):24476. Their package, woodelf-explainer, reads the trees; its own evaluation is in single precision and
misses shap by more than 1e-5 on a few hundred trees, so that the lookup is done here, in double.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit

__all__ = ["MOST_DEPTH", "TreeTables"]

MOST_BITS = 10  # decisions of one piece: a table has 2**bits lines
MOST_DEPTH = 10  # deeper trees have pieces of one leaf whose table would not pay
BLOCK = 256  # rows handled together, so that they and one table stay in the processor's cache


@njit(cache=True, nogil=True)
def _leaf_values(cover, value):
    """Shapley values of one leaf for every pattern of "does the row go the leaf's way": (2**d, d) array.

    The game pays `value` times, for each feature, 1 or 0 where the feature is known (the row goes that way or
    not) and its cover ratio where it is not. Bit i of the pattern belongs to feature i.
    """
    d = len(cover)
    weight = np.empty(d)  # k! (d - 1 - k)! / d!
    weight[0] = 1.0 / d
    for k in range(1, d):
        weight[k] = weight[k - 1] * k / (d - k)
    values = np.empty((1 << d, d))
    polynomial = np.empty(d)
    for pattern in range(1 << d):
        for i in range(d):
            polynomial[:] = 0.0
            polynomial[0] = 1.0
            size = 1
            for j in range(d):
                if j == i:
                    continue
                goes = float((pattern >> j) & 1)
                for k in range(size, 0, -1):
                    polynomial[k] = polynomial[k] * cover[j] + polynomial[k - 1] * goes
                polynomial[0] *= cover[j]
                size += 1
            total = 0.0
            for k in range(d):
                total += polynomial[k] * weight[k]
            values[pattern, i] = value * (((pattern >> i) & 1) - cover[i]) * total
    return values


@njit(cache=True, nogil=True)
def _add_leaf(table, bits, sides, features, slots, values):
    """Add one leaf's values to its piece's table: of each of its patterns the leaf sees its own part."""
    d = values.shape[1]
    for pattern in range(table.shape[0]):
        own = (1 << d) - 1
        for step in range(len(bits)):
            if (pattern >> bits[step]) & 1 != sides[step]:
                own &= ~(1 << features[step])
        for i in range(d):
            table[pattern, slots[i]] += values[own, i]


@njit(cache=True, nogil=True)
def _decide(decisions, values, threshold, nan_left, bit):
    """Set one bit of each row's pattern: whether it goes left. Missing values fail every comparison."""
    if nan_left:
        for row in range(len(values)):
            decisions[row] |= np.int32(not values[row] > threshold) << bit
    else:
        for row in range(len(values)):
            decisions[row] |= np.int32(values[row] <= threshold) << bit


@njit(cache=True, nogil=True)
def _look_up(
    design,
    out,
    start,
    stop,
    node_start,
    node_feature,
    threshold,
    nan_left,
    slot_start,
    slot_feature,
    line_start,
    lines,
):
    """Fill rows start..stop of `out`, in blocks that are turned so that a column's values lie together."""
    decisions = np.empty(BLOCK, np.int32)
    for first in range(start, stop, BLOCK):
        rows = min(BLOCK, stop - first)
        values = design[first : first + rows].T.copy()
        totals = np.zeros((out.shape[1], rows))
        for piece in range(len(node_start) - 1):
            pattern = decisions[:rows]
            pattern[:] = 0
            for bit in range(node_start[piece + 1] - node_start[piece]):
                node = node_start[piece] + bit
                _decide(pattern, values[node_feature[node]], threshold[node], nan_left[node], np.int32(bit))
            size = 1 << (node_start[piece + 1] - node_start[piece])
            for slot in range(slot_start[piece], slot_start[piece + 1]):
                line = line_start[piece] + (slot - slot_start[piece]) * size
                table = lines[line : line + size]
                total = totals[slot_feature[slot]]
                for row in range(rows):
                    total[row] += table[pattern[row]]
        out[first : first + rows] = totals.T


@dataclass
class _Piece:
    """A connected part of one tree: the nodes on the way to it, its own, and its leaves with their ways."""

    nodes: list
    leaves: list  # (leaf, [(node, goes left)])

    def table(self):
        """Features of the piece, and the Shapley values for each pattern of its nodes' decisions."""
        bit = {id(node): b for b, node in enumerate(self.nodes)}
        features = list(dict.fromkeys(node.feature_name for node in self.nodes))
        slot = {feature: s for s, feature in enumerate(features)}
        table = np.zeros((1 << len(self.nodes), len(features)))
        for leaf, way in self.leaves:
            own = list(dict.fromkeys(node.feature_name for node, _ in way))
            place = {feature: i for i, feature in enumerate(own)}
            cover = np.ones(len(own))
            for (node, _), child in zip(way, [*(n for n, _ in way[1:]), leaf], strict=True):
                cover[place[node.feature_name]] *= child.cover / node.cover
            _add_leaf(
                table,
                np.array([bit[id(node)] for node, _ in way], dtype=np.int64),
                np.array([left for _, left in way], dtype=np.int64),
                np.array([place[node.feature_name] for node, _ in way], dtype=np.int64),
                np.array([slot[feature] for feature in own], dtype=np.int64),
                _leaf_values(cover, leaf.value),
            )
        return np.array(features, dtype=np.int64), table


def _inner(node):
    """The nodes below and including `node` that decide something."""
    return [] if node.is_leaf() else [node, *_inner(node.left), *_inner(node.right)]


def _ways(node, way):
    """Every leaf at or below `node` with the decisions that lead to it."""
    if node.is_leaf():
        return [(node, way)]
    return _ways(node.left, [*way, (node, 1)]) + _ways(node.right, [*way, (node, 0)])


def _pieces(node, way):
    """Cut the tree at `node` into pieces of at most MOST_BITS decisions, those on the way to it included."""
    inner = _inner(node)
    if len(way) + len(inner) <= MOST_BITS or node.is_leaf():
        return [_Piece([n for n, _ in way] + inner, _ways(node, way))]
    return _pieces(node.left, [*way, (node, 1)]) + _pieces(node.right, [*way, (node, 0)])


class TreeTables:
    """The tables of one LightGBM booster whose trees compare numbers.

    Parameters
    ----------
    booster : lightgbm.Booster    no categorical splits, no `zero_as_missing`, no tree deeper than MOST_DEPTH
    columns : int                 columns of the design it was trained on
    """

    def __init__(self, booster, columns):
        from woodelf.core.trees.parse_models import load_decision_tree_ensemble_model

        trees = load_decision_tree_ensemble_model(booster, list(range(columns))).trees
        pieces = [piece for tree in trees if not tree.is_leaf() for piece in _pieces(tree, [])]
        tables = [piece.table() for piece in pieces]
        nodes = [node for piece in pieces for node in piece.nodes]
        self._columns = columns
        self._arrays = (
            np.cumsum([0, *(len(p.nodes) for p in pieces)], dtype=np.int64),
            np.array([n.feature_name for n in nodes], dtype=np.int64),
            np.array([n.value for n in nodes], dtype=np.float64),
            np.array([n.nan_go_left for n in nodes], dtype=np.bool_),
            np.cumsum([0, *(len(f) for f, _ in tables)], dtype=np.int64),
            np.concatenate([np.zeros(0, np.int64), *(f for f, _ in tables)]),
            np.cumsum([0, *(t.size for _, t in tables)], dtype=np.int64),
            np.concatenate([np.zeros(0), *(t.T.ravel() for _, t in tables)]),
        )

    def values(self, design, threads=None):
        """SHAP values of each row.

        Parameters
        ----------
        design : float64 array, shape (n, columns)    NaN is missing
        threads : int or None                         None: one for each processor

        Returns
        -------
        float64 array, shape (n, columns)
        """
        design = np.ascontiguousarray(design, dtype=np.float64)
        out = np.zeros((len(design), self._columns))
        threads = threads or os.cpu_count() or 1
        edges = np.linspace(0, len(design), threads + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            parts = [
                pool.submit(_look_up, design, out, start, stop, *self._arrays)
                for start, stop in pairwise(edges)
            ]
            for part in parts:
                part.result()
        return out

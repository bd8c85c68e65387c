"""Every source that is cited anywhere stands in docs/sources.md."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAG = re.compile(r"\bS:[0-9]+b?")
CITING = (
    "features/**/*.yml",
    "models/**/*.yml",
    "docs/*.md",
    "src/riskml/**/*.py",
    "src/riskml/**/*.yml",
    "*.md",
)


def listed():
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (S:[0-9]+b?) \| .{10,} \|$", text, re.MULTILINE)


def cited():
    files = [path for pattern in CITING for path in ROOT.glob(pattern) if path.name != "sources.md"]
    return {(tag, path.name) for path in files for tag in TAG.findall(path.read_text(encoding="utf-8"))}


def test_every_source_that_is_cited_is_listed():
    known = set(listed())
    assert {tag for tag, _ in cited()} >= {"S:1", "S:2", "S:6b", "S:103"}  # they are found at all
    assert not sorted(f"{tag} in {name}" for tag, name in cited() if tag not in known)


def test_no_source_is_listed_twice():
    assert len(set(listed())) == len(listed()) >= 100

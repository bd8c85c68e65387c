"""Reading narratives, in one run beside spaCy's own matchers with the same wordings.

    python benchmarks/narratives.py
    python benchmarks/narratives.py --narratives 100000 --json

A synthetic registry is simulated; its incidents' narratives (capitals, shorthand, slips) are read by

- `PhraseMatcher`: spaCy's, with the vocabulary's phrases, in lower case: it knows no gaps, slips or denials;
- `Matcher`: spaCy's, with every wording of the rules, on words brought to the rules' spelling as riskml does:
  it finds the places and says neither of whom nor whether they are denied;
- `riskml, 1 process` and `riskml, all processors`: `read_narratives`, the whole reading.

spaCy's matchers read a sample, for they take long. Every contender is timed by the clock over the whole
call, from texts to what it found; making rules and matchers is not counted, making processes is.
"""

import argparse
import json
import platform
import time
from importlib.metadata import version

from riskml.narratives.crew import processors
from riskml.narratives.reading import Reader, read_narratives
from riskml.narratives.rules import starting_rules
from riskml.simulation.simulate import simulate

PACKAGES = ("riskml", "spacy", "loky", "pandas")


def narratives_of(count, seed):
    """So many narratives of simulated incidents: list of str."""
    texts, cases = [], max(100, count // 2)
    while len(texts) < count:
        texts += simulate(cases, seed=seed).tables["incidents"]["narrative"].dropna().tolist()
        seed += 1
    return texts[:count]


def phrase_matcher(rules):
    """spaCy's PhraseMatcher with the vocabulary's phrases: callable of a text."""
    import spacy
    from spacy.matcher import PhraseMatcher

    nlp = spacy.blank("es")
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    for factor in rules.factors:
        if factor.phrases:
            matcher.add(factor.code, [nlp.make_doc(phrase) for phrase in factor.phrases])
    return lambda text: matcher(nlp.make_doc(text))


def whole_matcher(rules):
    """spaCy's Matcher with every wording, on riskml's spelling: callable of a text."""
    import spacy
    from spacy.attrs import NORM
    from spacy.matcher import Matcher

    from riskml.narratives.spelling import folded

    nlp = spacy.blank("es")
    nlp.vocab.lex_attr_getters[NORM] = rules.spelling
    for lexeme in nlp.vocab:
        lexeme.norm_ = rules.spelling(lexeme.orth_)
    matcher = Matcher(nlp.vocab)
    for number, rule in enumerate(rules.rules):
        matcher.add(f"{rule.kind} {rule.name} {number}", rule.pattern.tokens())
    return lambda text: matcher(nlp.make_doc(folded(text)[0]))


def timed(call):
    """Seconds by the clock, and what the call gave."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def contenders(rules, texts, sample):
    """One row per contender: name, narratives, seconds, what it found."""
    reader = Reader(rules)
    for name, make in (("PhraseMatcher", phrase_matcher), ("Matcher", whole_matcher)):
        find = make(rules)
        seconds, found = timed(lambda find=find: sum(len(find(text)) for text in sample))
        yield name, len(sample), seconds, found
    seconds, frame = timed(lambda: read_narratives(texts, reader=reader, processes=1))
    yield "riskml, 1 process", len(texts), seconds, len(frame)
    seconds, many = timed(lambda: read_narratives(texts, reader=reader))
    if not many.equals(frame):
        raise SystemExit("several processes read otherwise than one")
    yield f"riskml, {processors()} processors", len(texts), seconds, len(many)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--narratives", type=int, default=20_000)
    parser.add_argument("--sample", type=int, default=1_000, help="narratives that spaCy's matchers read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seconds, rules = timed(starting_rules)
    texts = narratives_of(options.narratives, options.seed)
    rows = [
        {"what": what, "narratives": count, "seconds": round(took, 2), "a_minute": round(count / took * 60)}
        | {"found": found}
        for what, count, took, found in contenders(rules, texts, texts[: options.sample])
    ]
    base = next(row for row in rows if row["what"] == "Matcher")["a_minute"]
    for row in rows:
        row["times_matcher"] = round(row["a_minute"] / base, 1)
    result = {
        "rules": len(rules.rules),
        "seconds_to_load": round(seconds, 2),
        "words_each": round(sum(len(text.split()) for text in texts) / len(texts), 1),
        "processors": processors(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "rows": rows,
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    head = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    print(f"{result['rules']} rules, {result['words_each']} words a narrative, {head}")
    for row in rows:
        print(
            f"{row['what']:26} {row['narratives']:8,} narratives {row['seconds']:8.2f} s "
            f"{row['a_minute']:9,} a minute {row['times_matcher']:7.1f} x Matcher {row['found']:9,} found"
        )


if __name__ == "__main__":
    main()

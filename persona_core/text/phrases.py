"""A small phrase grammar: which words of a sentence make a phrase that could stand as a label, and how telling each is.

Parts of speech come from a dictionary of forms (lemminflect) and a few rules of order; that is rough, but it needs no model.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)?")
FUNCTION = frozenset(
    "a an the this that these those my our your his her its their some any no every each all both few many much more most other "
    "another such same own i me we us you he him she it they them who whom whose which what myself ourselves yourself itself "
    "themselves and or but nor so yet for of in on at by to from with without into onto over under after before since until till "
    "through during between about above below against along across around behind beyond near off out up down upon as than if "
    "because while when where why how whether though although am is are was were be been being do does did doing done have has "
    "had having will would shall should can could may might must not never ever also too very just only even still again then "
    "there here now well quite rather really almost already always often sometimes perhaps maybe yes ok oh etc one once twice "
    "thing things something anything nothing everything someone anyone nobody everybody lot lots bit kind sort way".split()
)
DULL = frozenset(
    "get got getting go goes went going gone come comes came coming make makes made making take takes took taken put puts let lets "
    "say says said tell told know knew think thought want wanted need needed look looks looked see saw seen find found give gave "
    "given keep kept try tried use used using buy bought ordered work works worked star stars review good bad nice great fine "
    "better best worse worst new old big small little whole right wrong first last next day days week weeks month months year "
    "years time times people person man woman friend sister brother mother father wife husband don't didn't doesn't isn't wasn't "
    "won't can't couldn't i'm i've i'd it's that's there's we've we'd they're you're two three four five six seven eight nine ten "
    "half enough less least sure able item product month's today's".split()
)
LEADERS = frozenset(
    "a an the this that these those my our your his her its their some any no every each of in on at with without".split()
)
"""Words after which a noun is likely."""
LONGEST_LABEL = 4


@dataclass(frozen=True, slots=True)
class Phrase:
    start: int
    end: int
    words: tuple[str, ...]
    """In small letters; the last one is the head."""


@cache
def lemma_of(word: str, part: str) -> str | None:
    """The word's dictionary form as this part of speech (NOUN, VERB, ADJ, ADV), if it can be one."""
    import lemminflect

    found = lemminflect.getAllLemmas(word).get(part)
    return str(found[0]) if found else None


@cache
def may_be(word: str) -> frozenset[str]:
    import lemminflect

    return frozenset(lemminflect.getAllLemmas(word))


def words_of(text: str) -> list[str]:
    return [match[0].lower().replace("’", "'") for match in WORD.finditer(text)]


def content_words(text: str) -> list[str]:
    """Lemmas of what carries meaning, function words and dull ones left out."""
    found = []
    for word in words_of(text):
        if word in FUNCTION or word in DULL or len(word) < 3 or word[0].isdigit():
            continue
        found.append(lemma_of(word, "NOUN") or lemma_of(word, "VERB") or word)
    return [word for word in found if word not in DULL]


def noun_phrases(text: str) -> list[Phrase]:
    """Runs of adjectives and nouns that end in a noun, function words left out: "tomato sauce", "cold hands"."""
    found: list[Phrase] = []
    run: list[re.Match[str]] = []
    led = False
    previous_end = 0
    previous = ""
    for match in [*WORD.finditer(text), None]:
        together = match is not None and (not run or not re.search(r"[^\s-]", text[previous_end : match.start()]))
        if match is not None and together and _may_stand(match[0].lower()):
            led = led if run else previous in LEADERS
            run.append(match)
        else:
            found += _closed(run, led)
            run = [match] if match is not None and _may_stand(match[0].lower()) else []
            led = previous in LEADERS
        previous_end = match.end() if match is not None else previous_end
        previous = match[0].lower() if match is not None else ""
    return found


def _may_stand(word: str) -> bool:
    return word not in FUNCTION and word not in DULL and not word[0].isdigit() and bool(may_be(word) & {"NOUN", "ADJ"})


def _closed(run: list[re.Match[str]], led: bool) -> list[Phrase]:
    """The longest tail of a run that ends in a noun; what may be a verb is none at its head, nor all alone without an article."""
    while run and "NOUN" not in may_be(run[-1][0].lower()):
        run = run[:-1]
    run = run[-LONGEST_LABEL:]
    while len(run) > 1 and "VERB" in may_be(run[0][0].lower()) and not led:
        run = run[1:]
    sure = led or len(run) > 1 or (bool(run) and may_be(run[0][0].lower()) == {"NOUN"})
    if not sure or not run or len(run[-1][0]) < 3:
        return []
    return [Phrase(run[0].start(), run[-1].end(), tuple(match[0].lower() for match in run))]


class Telling:
    """How telling words are of one group of texts among others: c-TF-IDF, each group one class."""

    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        self.counts = [Counter(word for text in group for word in set(content_words(text))) for group in groups]
        self.total: Counter[str] = Counter()
        for counts in self.counts:
            self.total.update(counts)
        self.average = max(1.0, sum(self.total.values()) / max(1, len(self.counts)))

    def rarity(self, word: str) -> float:
        return math.log(1.0 + self.average / self.total[word]) if self.total[word] else math.log(1.0 + self.average)

    def weight(self, group: int, word: str) -> float:
        return self.counts[group][word] * self.rarity(word)


def label_of(sentence: str, telling: Telling) -> str:
    """A few of the sentence's own words that say what it is about."""
    phrases = noun_phrases(sentence)
    if phrases:
        best = max(phrases, key=lambda one: (sum(telling.rarity(word) for word in sorted(set(one.words))), -one.start))
        return " ".join(best.words)
    words = [word for word in words_of(sentence) if word not in FUNCTION]
    return " ".join((words or words_of(sentence))[:LONGEST_LABEL])

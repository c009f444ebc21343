"""A language model that says what it is told to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from persona_core.errors import ModelAnswerBad
from persona_core.llm.protocol import Answer, FormT, Prompt, Usage
from persona_core.llm.reading import Unreadable, value_in


@dataclass
class Scripted:
    """Says what it is told to, in the form that is asked for; and remembers what it was asked."""

    says: object
    name: str = "scripted"
    digest: str = "0"
    asked: list[Prompt] = field(default_factory=list)

    def ask(self, prompt: Prompt, form: type[FormT]) -> Answer[FormT]:
        self.asked.append(prompt)
        try:
            return Answer(value_in(self.says if isinstance(self.says, str) else json.dumps(self.says), form), Usage(), cached=False)
        except Unreadable as error:
            raise ModelAnswerBad(str(error)) from error

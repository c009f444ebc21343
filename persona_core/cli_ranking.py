"""The commands about people and what suits them: a profile, its recommendations, and the training behind them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from persona_core.cli_progress import progress_option
from persona_core.errors import PersonaError
from persona_core.progress import Listener, Meter
from persona_core.workspace import Workspace

if TYPE_CHECKING:
    from persona_core.engine import Engine
    from persona_core.schema import Explanation, Profile, Recommendation

WIDTH = 100
Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds `profile`, `recommend`, `explain` and `train`; `command` gives each its --workspace, --json and worded errors."""
    main.add_command(_profile(command))
    main.add_command(_recommend(command))
    main.add_command(_explain(command))
    main.add_command(_train(command))


def _profile(command: Command) -> click.Command:
    @click.command()
    @click.argument("user")
    @command
    def profile(workspace: Workspace, as_json: bool, user: str) -> dict[str, Any]:
        """Show what is known of a person's taste, and the reviews it rests on. USER is an id."""
        from persona_core.engine import Engine

        found = _known(Engine.open(workspace), user)
        if not as_json:
            _say_profile(found)
        return {"profile": found.model_dump(mode="json")}

    return profile


def _recommend(command: Command) -> click.Command:
    @click.command()
    @click.argument("user", required=False)
    @click.option("--like", "likes", multiple=True, metavar="PHRASE", help="Add a like for this answer only. Repeat it.")
    @click.option("--dislike", "dislikes", multiple=True, metavar="PHRASE", help="Add a dislike for this answer only. Repeat it.")
    @click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Only from this scenario. Repeat it.")
    @click.option("-k", "most", type=click.IntRange(1, 100), default=5, show_default=True, help="How many.")
    @command
    def recommend(workspace: Workspace, as_json: bool, user: str | None, likes: tuple[str, ...], dislikes: tuple[str, ...],
                  scenarios: tuple[str, ...], most: int) -> dict[str, Any]:  # fmt: skip
        """Rank what suits somebody, with the reasons. Without USER: somebody new, known by --like alone."""
        from dataclasses import replace

        from persona_core.engine import Engine
        from persona_core.profiles.edits import with_dislike, with_like

        engine = Engine.open(workspace)
        asked = _known(engine, user) if user else engine.newcomer("somebody new")
        for text in likes:
            asked = with_like(asked, text)
        for text in dislikes:
            asked = with_dislike(asked, text)
        options = replace(engine.options, scenarios=frozenset(scenarios))
        found = engine.recommend(asked, k=most, options=options)
        if not as_json:
            for one in found:
                _say_recommendation(engine, one)
        return {"profile": asked.model_dump(mode="json"), "recommendations": [_as_dict(engine, one) for one in found]}

    return recommend


def _explain(command: Command) -> click.Command:
    @click.command()
    @click.argument("user")
    @click.argument("item")
    @click.option("-k", "most", type=click.IntRange(1, 100), default=10, show_default=True, help="How many count as the first.")
    @command
    def explain(workspace: Workspace, as_json: bool, user: str, item: str, most: int) -> dict[str, Any]:
        """Say why an item stands where it does for somebody, and what would move it. ITEM is an id, or words of its title."""
        from persona_core.cli_personas import item_named
        from persona_core.engine import Engine
        from persona_core.explain import what_if, why_not

        engine = Engine.open(workspace)
        profile = _known(engine, user)
        found, title, _ = item_named(workspace, item)
        ranked = engine.rank(profile)
        explained, place = engine.explain(ranked, found), why_not(engine, ranked, found, most)
        change = what_if(engine, profile, None, found, most)
        if not as_json:
            click.secho(title, bold=True)
            _say_explanation(explained)
            for text in (place.text, change.text):
                click.echo(textwrap.fill(text, WIDTH))
        return {
            "explanation": explained.model_dump(mode="json"),
            "rank": ranked.rank(engine.code[found]),
            "why not": place.text,
            "what if": change.text,
        }

    return explain


def _train(command: Command) -> click.Command:
    @click.command()
    @click.option("--full", is_flag=True, help="Fine-tune the whole encoder too; takes long without a GPU. Goes on where it was.")
    @command
    @progress_option
    def train(workspace: Workspace, as_json: bool, full: bool, listener: Listener) -> dict[str, Any]:
        """Train what matches profiles to personas, and say how it learned."""
        from persona_core.alignment.steps import CARD, CURVE
        from persona_core.alignment.whole import full_training
        from persona_core.steps import pipeline_of

        made = pipeline_of(workspace).build("alignment", listener)[-1]
        artefact = workspace.artefact("alignment")
        result: dict[str, Any] = {"counts": made.counts, "card": str(artefact.file(CARD)), "curve": str(artefact.file(CURVE))}
        if full:
            meter = Meter(listener, "full", "Fine-tuning the whole encoder", 1, 1)
            trained = full_training(workspace, meter.working)
            meter.tell("finished")
            result["full"] = {"folder": str(trained.folder), **trained.as_dict()}
        if not as_json:
            for name, value in result.items():
                click.echo(f"{name}: {value}")
        return result

    return train


# Words -----------------------------------------------------------------------------------------------------------------


def _known(engine: Engine, user: str) -> Profile:
    if user not in engine.profiles:
        some = ", ".join(engine.profiles.users()[:5])
        raise PersonaError(f"There is no profile of {user!r}.", why=f"There are, among others: {some}.", mend="name one by its id")
    return engine.profile(user)


def _say_profile(profile: Profile) -> None:
    click.secho(profile.user_id, bold=True)
    click.echo(textwrap.fill(profile.text or "Nothing is known of their taste yet.", WIDTH))
    for sign, phrases in (("+", profile.likes), ("-", profile.dislikes)):
        for phrase in phrases:
            click.echo(f"  {sign} {phrase.text}  ({phrase.strength:g})  [{', '.join(phrase.review_ids)}]")
    click.echo(f"  {len(profile.history)} things in their past")


def _say_recommendation(engine: Engine, one: Recommendation) -> None:
    item = engine.item(one.item_id)
    click.secho(f"{one.rank}. {item.title}", bold=True, nl=False)
    click.echo(f"  {item.scenario}  {one.score:.3f} = " + " ".join(f"{part.name} {part.value:+.3f}" for part in one.parts))
    for word, match in (("suits", one.match), ("may disappoint", one.warning)):
        if match:
            persona = engine.persona(match.persona_id)
            quote = " ".join(persona.quotes[0].text.split())
            click.echo(textwrap.indent(textwrap.fill(f"{word}: {persona.name} ({match.cosine:.2f}): “{quote}”", WIDTH - 4), "    "))


def _say_explanation(explained: Explanation) -> None:
    for sign, claims in (("+", explained.claims), ("-", explained.cautions)):
        for claim in claims:
            click.echo(textwrap.fill(claim.text, WIDTH, initial_indent=f"  {sign} ", subsequent_indent="    "))
            for quote in claim.quotes:
                click.echo(textwrap.indent(textwrap.fill(f"“{' '.join(quote.text.split())}”", WIDTH - 8), "      "))
    for reason in explained.reasons:
        click.echo(textwrap.fill(reason.text, WIDTH, initial_indent="  · ", subsequent_indent="    "))
    if explained.certainty:
        click.echo(textwrap.fill(explained.certainty.text, WIDTH, initial_indent="  ", subsequent_indent="  "))


def _as_dict(engine: Engine, one: Recommendation) -> dict[str, Any]:
    return {**one.model_dump(mode="json"), "score": one.score, "title": engine.item(one.item_id).title}

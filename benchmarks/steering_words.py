"""The demo world's motives in other words, written before anything was measured, and the needs in built profiles that mean them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    phrase: str
    """What somebody might type who does not know how the world calls the motive."""
    sentence: str
    """The same as part of a profile's text."""
    needs: tuple[str, ...]
    """Ids of the needs (persona_core/personas/needs.toml) that mean this motive; matched by hand."""


SAID = {
    "travels_light": Said(
        "packs as little as possible", "They carry everything themselves, so each gram counts.", ("light_to_carry", "travel")
    ),
    "buys_once": Said("keeps things for life", "They would sooner mend a thing than throw it away.", ("built_to_last",)),
    "with_children": Said(
        "something the kids can join in with", "They do most things together with their small children.", ("small_children",)
    ),
    "counts_pennies": Said("on a tight budget", "They have to watch what they spend.", ("money_worth",)),
    "learns_properly": Said(
        "likes to be taught step by step", "They like to understand how a thing is done before they do it.", ("learn_skill",)
    ),
    "gives_presents": Said("looking for something to give to a friend", "They mostly shop for other people's birthdays.", ("gifts",)),
    "winds_down": Said(
        "relaxing at the end of a long day", "They look for something gentle and slow.", ("calm", "bedtime_sleep")
    ),
    "cooks_for_crowd": Said("feeds a big group of people", "They often have ten people round the table.", ("guests_groups",)),
    "solves_puzzles": Said("mysteries with clever twists", "They like to guess who did it, and to be wrong.", ("puzzle_challenge",)),
    "loves_prose": Said("beautiful writing", "They care more about style and voice than about plot.", ("language",)),
    "wants_depth": Said("well-researched non-fiction", "They check an author's sources.", ("facts_depth",)),
    "escapes_far": Said("stories set in another world", "They read to forget where they are.", ("escape_world",)),
    "weeknight_fast": Said("quick meals after work", "They come home tired and want to eat within half an hour.", ("saves_time",)),
    "hates_washing_up": Said("goes in the dishwasher", "They judge a pan by how quickly it comes clean.", ("easy_upkeep",)),
    "loves_looks": Said("beautiful tableware", "They like handsome things that may stay out on the shelf.", ("looks_style",)),
    "any_weather": Said(
        "stays dry in wind and rain", "They walk in sleet and gales and expect their gear to cope.", ("weather_outdoors",)
    ),
    "watches_wildlife": Said("birdwatching", "They sit still for hours to see a heron or a fox.", ("watching_nature",)),
    "sleeps_well_out": Said(
        "a good night's sleep in a tent", "They camp by the car, with a proper bed and a chair.", ("comfortable_for_hours",)
    ),
    "plays_safe": Said(
        "careful and well prepared when out alone",
        "They carry a second of everything that matters, in case something goes wrong.",
        ("keeps_safe", "dependable"),
    ),
    "trains_hard": Said(
        "running and climbing for fitness", "They train four times a week and want to be faster.", ("sport_training",)
    ),
}  # fmt: skip

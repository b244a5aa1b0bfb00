"""Open writing prompts: templates times topics, by genre."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Genre:
    """A kind of writing: every template goes with every topic."""

    name: str
    templates: tuple[str, ...]
    topics: tuple[str, ...]


GENRES = (
    Genre(
        "story",
        ("Write a short story about {topic}.", "Tell a bedtime story in which {topic} plays the main part."),
        (
            "a lighthouse keeper who never sleeps",
            "a lost umbrella",
            "two sisters on a night train",
            "a robot that is afraid of rain",
            "a baker who finds a map",
            "the last librarian of a small town",
            "a fox that learns to count",
            "a clock that runs backwards",
            "a fisherman and a talking gull",
            "a child who collects shadows",
            "an old violin",
            "a village without a name",
        ),
    ),
    Genre(
        "explanation",
        ("Explain {topic} to a curious twelve-year-old.", "How would you explain {topic} to a beginner?"),
        (
            "how rainbows form",
            "why the sea is salty",
            "how vaccines work",
            "what inflation is",
            "how a bicycle stays upright",
            "why leaves change colour",
            "how the internet carries a message",
            "what a black hole is",
            "how bread rises",
            "why we dream",
            "how elections work",
            "what makes a good password",
        ),
    ),
    Genre(
        "advice",
        ("Give advice to someone who wants to {topic}.", "What should I keep in mind if I want to {topic}?"),
        (
            "learn a new language",
            "sleep better",
            "start running",
            "save money each month",
            "change careers at forty",
            "move to another country",
            "make friends in a new city",
            "adopt a dog",
            "read more books",
            "cook at home more often",
            "speak in front of a crowd",
            "grow vegetables on a balcony",
        ),
    ),
    Genre(
        "code",
        ("Explain how to write a program that {topic}.", "Describe, step by step, a function that {topic}."),
        (
            "reverses a text",
            "finds duplicate files",
            "sorts a list of names",
            "counts the words in a book",
            "checks whether a number is prime",
            "draws a calendar",
            "plays rock, paper, scissors",
            "converts temperatures",
            "finds the shortest way through a maze",
            "splits a bill among friends",
        ),
    ),
    Genre(
        "letter",
        ("Write a letter to {topic}.", "Draft a friendly e-mail to {topic}."),
        (
            "a landlord about a broken heater",
            "a teacher who changed your life",
            "a neighbour whose dog barks all night",
            "your future self",
            "a hotel that lost your suitcase",
            "a friend who is moving away",
            "the mayor about a missing bicycle lane",
            "a colleague who is about to retire",
            "a museum that you would like to visit with a school class",
            "a cousin you have not seen for years",
        ),
    ),
    Genre(
        "list",
        ("Make a list of ideas for {topic}.", "Suggest some {topic} and say a word about each."),
        (
            "indoor games for a rainy day",
            "presents that cost nothing",
            "healthy breakfasts",
            "weekend trips by train",
            "hobbies for quiet evenings",
            "names for a small bookshop",
            "ways to reuse glass jars",
            "questions for a job interview",
            "activities for a family reunion",
            "plants for a shady room",
        ),
    ),
    Genre(
        "opinion",
        ("Discuss the arguments for and against {topic}.", "What do you think about {topic}?"),
        (
            "school uniforms",
            "a four-day working week",
            "cars in city centres",
            "homework for young children",
            "keeping animals in zoos",
            "working from home",
            "paper books in the age of screens",
            "free public transport",
            "daylight saving time",
            "learning handwriting at school",
        ),
    ),
    Genre(
        "description",
        ("Describe {topic} for a travel magazine.", "Paint a picture in words of {topic}."),
        (
            "a harbour at dawn",
            "a street market in summer",
            "the first snow in a mountain village",
            "an abandoned railway station",
            "a desert at night",
            "a forest after a storm",
            "a busy kitchen",
            "a quiet library",
            "an island in autumn",
            "a city seen from a rooftop",
        ),
    ),
    Genre(
        "history",
        (
            "Tell the history of {topic} in your own words.",
            "Why did {topic} matter? Write about it for a general reader.",
        ),
        (
            "the printing press",
            "the steam engine",
            "the compass",
            "the telescope",
            "the bicycle",
            "the postage stamp",
            "coffee",
            "paper",
            "the railway",
            "the telephone",
        ),
    ),
    Genre(
        "dialogue",
        ("Write a conversation between {topic}.", "Write a short scene for the stage with {topic}."),
        (
            "a cat and a dog who share a sofa",
            "a detective and a nervous witness",
            "two astronauts on a long journey",
            "a gardener and a stubborn tree",
            "a grandmother and a smart speaker",
            "a chess master and a beginner",
            "the moon and the sea",
            "a taxi driver and a famous passenger",
            "two rival bakers",
            "a student and a ghost in the archive",
        ),
    ),
)


def all_prompts() -> tuple[tuple[str, str], ...]:
    """Every (genre, prompt), in a fixed order."""
    return tuple(
        (genre.name, template.format(topic=topic))
        for genre in GENRES
        for template in genre.templates
        for topic in genre.topics
    )

"""Words sorted into kinds that do not overlap: no tomato, no bat, nothing people could argue about."""

from __future__ import annotations

_KINDS = {
    "bird": "sparrow eagle pigeon owl robin penguin swan parrot stork heron seagull woodpecker ostrich",
    "fish": "salmon trout cod herring tuna carp sardine mackerel halibut haddock anchovy eel",
    "mammal": "goat elephant dolphin rabbit whale tiger giraffe squirrel cow wolf hedgehog kangaroo otter",
    "insect": "ant bee wasp butterfly moth mosquito grasshopper dragonfly termite cockroach locust ladybug",
    "fruit": "apple banana cherry pear mango grape peach pineapple strawberry lemon apricot papaya",
    "vegetable": "carrot potato onion cabbage leek turnip radish parsnip beetroot cauliflower lettuce",
    "musical instrument": "piano violin trumpet flute guitar clarinet cello harp trombone oboe banjo",
    "vehicle": "car bus truck bicycle tram van motorcycle tractor ambulance taxi ferry helicopter",
    "tool": "hammer screwdriver wrench chisel spade rake axe trowel crowbar shovel hacksaw",
    "piece of clothing": "shirt coat scarf hat sweater sock skirt glove jacket blouse dress cardigan",
    "piece of furniture": "table chair sofa wardrobe desk bookcase armchair cupboard stool sideboard",
}


def kinds() -> dict[str, tuple[str, ...]]:
    """Kind -> its words, singular; every word belongs to exactly one kind."""
    return {kind: tuple(words.split()) for kind, words in _KINDS.items()}


def all_words() -> tuple[str, ...]:
    """Every word of every kind."""
    return tuple(word for words in kinds().values() for word in words)


def with_article(word: str) -> str:
    """ "an owl", "a sparrow"."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"

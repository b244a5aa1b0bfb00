"""Names, towns and days that generated samples are about, and the scene that keeps seeds apart."""

from __future__ import annotations

import hashlib

NAMES = tuple(
    """Aisha Alan Amina Andre Anna Anton Astrid Beatriz Ben Bianca Boris Bruno Carla Carlos Chen Chloe Clara
    Daniel Daria David Diego Dina Elena Elias Elif Emil Emma Erik Esra Eva Fatima Felix Fiona Frida Gabriel
    Georg Grace Hana Hassan Hugo Ida Igor Ines Irene Ivan Jamal Jana Jasper Joao Jonas Julia Kai Karim Kofi
    Lars Laura Leila Leon Lina Lucas Maja Malik Marco Maria Marta Mateo Mia Mila Mina Nadia Nora Oliver Omar
    Oscar Paula Pedro Petra Priya Rafael Rania Rosa Samir Sara Sofia Stefan Tara Theo Tomas Uma Vera Victor
    Wanda Yara Yusuf Zara""".split()
)

TOWNS = tuple(
    """Aarhus Accra Antwerp Basel Bergen Bilbao Bologna Boston Bremen Bristol Calgary Cardiff Cordoba Cork
    Dakar Delft Denver Dresden Dublin Durban Eindhoven Fresno Galway Geneva Genoa Ghent Glasgow Graz Hamburg
    Hanoi Helsinki Izmir Kigali Krakow Kyoto Leeds Leipzig Lima Lisbon Lyon Malaga Manila Medellin Montreal
    Mumbai Nairobi Nantes Naples Osaka Ottawa Porto Prague Quito Rabat Riga Rouen Salem Seoul Seville Sofia
    Tampere Tartu Toledo Turin Utrecht Valencia Verona Vienna Vilnius Warsaw Zagreb Zurich""".split()
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = tuple(
    """January February March April May June July August September October November December""".split()
)

_SCENES = ("It is {day} in {town}. ", "One {day} in {town}: ", "This happens on a {day} in {town}. ")

SCENES = len(_SCENES) * len(TOWNS) * len(WEEKDAYS)
"""How many scenes there are: two seeds that differ modulo this number can never share a text."""


def digest(text: str) -> str:
    """Twelve hexadecimal digits that stand for a text: the same on every machine."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def in_scene(body: str, seed: int) -> str:
    """The body after a sentence that sets place and day, chosen by body and seed together.

    The same body gets a different scene under every seed (modulo `SCENES`), so that samples of two
    seeds differ for certain and not just very likely.
    """
    index = (int(digest(body), 16) + seed) % SCENES
    index, form = divmod(index, len(_SCENES))
    town, day = divmod(index, len(WEEKDAYS))
    return _SCENES[form].format(day=WEEKDAYS[day], town=TOWNS[town]) + body

"""Names, towns and days that generated samples are about, and the scene that keeps seeds apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_NAMES = """
    Aisha Alan Amina Andre Anna Anton Astrid Beatriz Ben Bianca Boris Bruno Carla Carlos Chen Chloe Clara
    Daniel Daria David Diego Dina Elena Elias Elif Emil Emma Erik Esra Eva Fatima Felix Fiona Frida Gabriel
    Georg Grace Hana Hassan Hugo Ida Igor Ines Irene Ivan Jamal Jana Jasper Joao Jonas Julia Kai Karim Kofi
    Lars Laura Leila Leon Lina Lucas Maja Malik Marco Maria Marta Mateo Mia Mila Mina Nadia Nora Oliver Omar
    Oscar Paula Pedro Petra Priya Rafael Rania Rosa Samir Sara Sofia Stefan Tara Theo Tomas Uma Vera Victor
    Wanda Yara Yusuf Zara"""

_TOWNS = """
    Aarhus Accra Antwerp Basel Bergen Bilbao Bologna Boston Bremen Bristol Calgary Cardiff Cordoba Cork
    Dakar Delft Denver Dresden Dublin Durban Eindhoven Fresno Galway Geneva Genoa Ghent Glasgow Graz Hamburg
    Hanoi Helsinki Izmir Kigali Krakow Kyoto Leeds Leipzig Lima Lisbon Lyon Malaga Manila Medellin Montreal
    Mumbai Nairobi Nantes Naples Osaka Ottawa Porto Prague Quito Rabat Riga Rouen Salem Seoul Seville Sofia
    Tampere Tartu Toledo Turin Utrecht Valencia Verona Vienna Vilnius Warsaw Zagreb Zurich"""

_MONTHS = "January February March April May June July August September October November December"

NAMES = tuple(_NAMES.split())
TOWNS = tuple(_TOWNS.split())
MONTHS = tuple(_MONTHS.split())
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def digest(text: str) -> str:
    """Twelve hexadecimal digits that stand for a text: the same on every machine."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Scenes:
    """Ways to open a text that set a place and one thing more; they keep the samples of seeds apart.

    `forms` hold the blanks {town} and {other}.
    """

    forms: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are: seeds that differ modulo this number can never share a text."""
        return len(self.forms) * len(TOWNS) * len(self.others)

    def tell(self, body: str, seed: int) -> str:
        """The body behind a scene that body and seed choose together.

        The same body gets a different scene under every seed (modulo `count`): samples of two seeds
        then differ for certain and not just very likely.
        """
        index = (int(digest(body), 16) + seed) % self.count
        index, form = divmod(index, len(self.forms))
        town, other = divmod(index, len(self.others))
        return self.forms[form].format(town=TOWNS[town], other=self.others[other]) + body


DAYS = Scenes(
    ("It is {other} in {town}. ", "One {other} in {town}: ", "This happens on a {other} in {town}. "),
    WEEKDAYS,
)
ASKERS = Scenes(
    (
        "In {town}, {other} asks: ",
        "At school in {town}, {other} asks: ",
        "At the market in {town}, {other} asks: ",
        "In a museum in {town}, {other} asks: ",
        "On the train to {town}, {other} asks: ",
    ),
    NAMES,
)

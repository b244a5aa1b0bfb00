"""The stories word problems are made of: ten families, each an opening, steps and a question.

A story follows one running value. The opening gives it ({start}); each step changes it by one operation
with one new number ({n}); the question asks for it. Blanks: {who} has the value now, {new} is somebody or
something not yet named, {unit} is what is counted now. A step that moves hands the value from {who} to
{new}; a step with a unit changes what is counted; a step that closes can only come last, because after it
a sentence could be about the part or about the whole.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on the running value: `+`, `-`, `*` or `/` (always without remainder)."""

    operation: str
    text: str
    moves: bool = False
    unit: str = ""
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of story."""

    name: str
    units: tuple[str, ...]
    openings: tuple[str, ...]
    steps: tuple[Step, ...]
    questions: tuple[str, ...]
    first: tuple[Step, ...] = ()
    """What must come first, one of these, where the opening alone counts nothing yet (a rate)."""
    who: tuple[str, ...] = ()
    """Who or what the story is about; empty: people."""


_PLACES = "bridge castle chapel fountain mill lighthouse tower library harbour theatre oak barn inn school"

BUYING = Family(
    name="buying",
    units=("dollars",),
    openings=(
        "{who} goes shopping with {start} dollars.",
        "{who} has {start} dollars in a purse.",
        "There are {start} dollars in {who}'s wallet.",
    ),
    steps=(
        Step("-", "{who} buys a coat for {n} dollars."),
        Step("-", "{who} pays {n} dollars for groceries."),
        Step("-", "A ticket costs {who} another {n} dollars."),
        Step("+", "{who} sells an old lamp for {n} dollars."),
        Step("+", "A friend pays back a debt of {n} dollars to {who}."),
        Step("*", "A lucky bet then turns {who}'s money into {n} times as much."),
        Step("/", "{who} divides the money into {n} equal parts, keeps one part and gives the rest away."),
    ),
    questions=("How many dollars does {who} have now?", "How much money, in dollars, is {who} left with?"),
)

SHARING = Family(
    name="sharing",
    units=("cookies", "marbles", "stickers", "shells", "beads", "crayons", "walnuts", "plums", "buttons"),
    openings=(
        "{who} brings {start} {unit} to share.",
        "{who} has a bag with {start} {unit}.",
        "{who} counts {start} {unit} on the table and owns them all.",
    ),
    steps=(
        Step("/", "{who} shares the {unit} equally among {n} people, {who} included, and keeps one share."),
        Step("-", "{who} gives {n} {unit} to {new}."),
        Step("-", "{who} loses {n} {unit} on the way home."),
        Step("+", "{new} gives {who} {n} more {unit}."),
        Step("+", "{who} finds {n} {unit} in a drawer and adds them."),
        Step("*", "By the end of the month {who} has {n} times as many {unit} as that."),
    ),
    questions=("How many {unit} does {who} have in the end?", "How many {unit} are {who}'s now?"),
)

TRAVELLING = Family(
    name="travelling",
    units=("kilometres",),
    openings=(
        "The train on which {who} sits makes {start} kilometres an hour.",
        "{who} drives at a steady {start} kilometres an hour.",
        "A ferry with {who} on board covers {start} kilometres every hour.",
    ),
    first=(
        Step("*", "The trip takes {n} hours."),
        Step("*", "{who} keeps this up for {n} hours without a change."),
    ),
    steps=(
        Step("+", "Then {who} goes on by bus for {n} kilometres."),
        Step("+", "A detour adds {n} kilometres."),
        Step("-", "Of this distance, {n} kilometres turn out to be a loop that does not count."),
        Step("*", "{who} repeats the whole tour until it has been made {n} times."),
        Step(
            "/",
            "The whole distance is then split into {n} equal stages, and only one of these stages is counted.",
            closes=True,
        ),
    ),
    questions=("What distance is counted in the end, in kilometres?",),
)

AGES = Family(
    name="ages",
    units=("years",),
    who=tuple(_PLACES.split()),
    openings=(
        "The {who} is {start} years old.",
        "People say that the {who} has stood there for {start} years.",
        "The age of the {who} is {start} years.",
    ),
    steps=(
        Step("+", "The {new} is {n} years older than the {who}.", moves=True),
        Step("+", "The {who} was built {n} years after the {new}.", moves=True),
        Step("-", "The {new} is {n} years younger than the {who}.", moves=True),
        Step("-", "The {who} is older than the {new} by {n} years.", moves=True),
        Step("*", "The {new} is {n} times as old as the {who}.", moves=True),
        Step("/", "The {who} is {n} times as old as the {new}.", moves=True),
    ),
    questions=("How old is the {who}, in years?", "How many years old is the {who}?"),
)

RATES = Family(
    name="rates",
    units=("pages", "labels", "bolts", "candles", "bricks", "bottles", "lids", "cups"),
    openings=(
        "A machine makes {start} {unit} every hour.",
        "{who} looks after a machine that turns out {start} {unit} an hour.",
        "The workshop of {who} makes {start} {unit} an hour.",
    ),
    first=(
        Step("*", "Work goes on like this for {n} hours, and all {unit} are kept."),
        Step("*", "What is made in {n} hours is put in store."),
    ),
    steps=(
        Step("-", "A check finds {n} faulty {unit}, which are thrown away."),
        Step("-", "{who} takes {n} {unit} out as samples."),
        Step("+", "Another {n} {unit} are left over from last week and are added."),
        Step("+", "A second machine adds {n} {unit}."),
        Step("*", "By the end of the week there are {n} times as many {unit} as that."),
        Step("/", "The {unit} are packed into boxes of {n} {unit} each.", unit="boxes"),
    ),
    questions=("How many {unit} are there?", "How many {unit} does {who} count at the end?"),
)

COMPARISONS = Family(
    name="comparisons",
    units=("books", "coins", "postcards", "fish", "pencils", "records", "keys", "stamps", "tulips"),
    openings=(
        "{who} owns {start} {unit}.",
        "{who} has {start} {unit}.",
        "The number of {unit} that {who} owns is {start}.",
    ),
    steps=(
        Step("*", "{new} has {n} times as many {unit} as {who}.", moves=True),
        Step("/", "{who} has {n} times as many {unit} as {new}.", moves=True),
        Step("+", "{new} has {n} more {unit} than {who}.", moves=True),
        Step("+", "{who} has {n} fewer {unit} than {new}.", moves=True),
        Step("-", "{new} has {n} fewer {unit} than {who}.", moves=True),
        Step("-", "{who} has {n} more {unit} than {new}.", moves=True),
    ),
    questions=("How many {unit} does {who} have?", "What is the number of {unit} that {who} owns?"),
)

PACKING = Family(
    name="packing",
    units=("apples", "eggs", "lemons", "tins", "jars", "onions", "pears", "rolls"),
    openings=(
        "A crate holds {start} {unit}.",
        "{who} can fit {start} {unit} into one box.",
        "Every basket at the market contains {start} {unit}.",
    ),
    first=(
        Step("*", "{who} unpacks {n} of them, all full."),
        Step("*", "A van brings {who} exactly {n} full ones."),
    ),
    steps=(
        Step("-", "{n} of the {unit} are spoiled and {who} throws them out."),
        Step("-", "{who} sells {n} {unit}."),
        Step("+", "{who} buys {n} further {unit}."),
        Step("+", "{new} drops off {n} more {unit}."),
        Step("*", "{who} orders more until there are {n} times as many {unit} as before."),
        Step("/", "{who} puts the {unit} into bags, {n} {unit} to a bag.", unit="bags"),
    ),
    questions=("How many {unit} does {who} have?", "How many {unit} are there now?"),
)

PASSENGERS = Family(
    name="passengers",
    units=("passengers", "people"),
    openings=(
        "A train leaves the station with {start} {unit}; {who} counts them.",
        "There are {start} {unit} on the boat that {who} steers.",
        "{who} counts {start} {unit} on the night bus.",
    ),
    steps=(
        Step("+", "At the next stop {n} {unit} get on."),
        Step("+", "A group of {n} {unit} joins them at the market."),
        Step("-", "{n} {unit} get off at the bridge."),
        Step("-", "At the museum {n} {unit} leave."),
        Step("*", "At the border there are suddenly {n} times as many {unit} on board as before."),
        Step(
            "/",
            "At the last stop the {unit} are split evenly over {n} vans, and {who} looks into one of these vans.",
            closes=True,
        ),
    ),
    questions=("How many {unit} does {who} see there?", "What number of {unit} does {who} count in the end?"),
)

SEATING = Family(
    name="seating",
    units=("seats", "chairs"),
    openings=(
        "Each row of a theatre has {start} {unit}.",
        "{who} sets up rows of {start} {unit} for a concert.",
        "In a stadium there are {start} {unit} to a row.",
    ),
    first=(
        Step("*", "There are {n} rows in all."),
        Step("*", "{who} counts {n} such rows and no other {unit}."),
    ),
    steps=(
        Step("+", "{who} places {n} further {unit} along the wall."),
        Step("+", "The neighbours lend {n} {unit} more."),
        Step("-", "{n} {unit} are broken and are carried out."),
        Step("-", "Then {n} {unit} are taken away for the choir."),
        Step("*", "Other halls are set up too, so that there are {n} times as many {unit} in all."),
        Step(
            "/",
            "The {unit} are divided equally among {n} halls, and {who} looks at one of these halls.",
            closes=True,
        ),
    ),
    questions=("How many {unit} does {who} find there?", "How many {unit} does {who} count in the end?"),
)

SAVING = Family(
    name="saving",
    units=("points", "tokens", "credits"),
    openings=(
        "{who} starts a game with {start} {unit}.",
        "{who} earns {start} {unit} in the first round.",
        "After a year of play {who} has {start} {unit}.",
    ),
    steps=(
        Step("+", "A bonus brings {n} {unit}."),
        Step("+", "{who} wins {n} {unit} in the next round."),
        Step("-", "A mistake costs {who} {n} {unit}."),
        Step("-", "{who} pays {n} {unit} for a hint."),
        Step("*", "A golden card multiplies {who}'s {unit} by {n}."),
        Step("/", "A trap divides {who}'s {unit} by {n}."),
    ),
    questions=("How many {unit} does {who} have now?", "What is {who}'s total in {unit} at the end?"),
)

FAMILIES = (
    BUYING,
    SHARING,
    TRAVELLING,
    AGES,
    RATES,
    COMPARISONS,
    PACKING,
    PASSENGERS,
    SEATING,
    SAVING,
)

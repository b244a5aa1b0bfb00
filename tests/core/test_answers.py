from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.answers import (
    canonical_number,
    cut_at_next_question,
    extract_choice,
    extract_number,
    extract_text,
    extract_yes_no,
    same_number,
    vote,
)

NUMBERS = [
    ("42", "42"),
    ("42.", "42"),
    ("  7 \n", "7"),
    ("1,234.50", "1234.5"),
    ("1,080", "1080"),
    ("8.0", "8"),
    ("007", "7"),
    ("-0", "0"),
    ("+5", "5"),
    ("−5", "-5"),
    ("–5 degrees", "-5"),
    ("$5", "5"),
    ("-$5", "-5"),
    ("$-5", "-5"),
    ("US$1,000.00 in all", "1000"),
    ("Rs.50", "50"),
    ("€ 12", "12"),
    ("50%", "50"),
    ("3/4", "0.75"),
    ("6/8 of it", "0.75"),
    ("2/6", "1/3"),
    ("-1/3", "-1/3"),
    ("8 / 4", "2"),
    ("1 1/2 hours", "1.5"),
    ("2 7/3", "2"),
    ("3/0", None),
    ("12/25/2023", "12"),
    (".5", "0.5"),
    ("well ...5", "5"),
    ("1e3", "1000"),
    ("1E-2", "0.01"),
    ("2e", "2"),
    ("1e0000003", "1000"),
    ("1e" + "9" * 60, None),
    ("1e1" + "0" * 6000, None),
    ("0." + "0" * 150 + "1", None),
    ("9" * 600, None),
    ("10-12", "10"),
    ("10–12 days", "10"),
    ("10 -12", "10"),
    ("about 10 to 12", "10"),
    ("COVID-19", "19"),
    ("x = -3", "-3"),
    ("(-3)", "-3"),
    ("1,2,3", "1"),
    ("1, 2, 3", "1"),
    ("12,34", "12"),
    ("1\u202f000", "1000"),
    ("1{,}000", "1000"),
    ("４２", "42"),
    ("答案是42", "42"),
    ("5 + 3 = 8", "8"),
    ("$5 x 3 = $15", "15"),
    ("48/2 = 23", "23"),
    ("10 - 12 = -2", "-2"),
    ("5 + 3 = 8 + 2 = 10", "10"),
    ("5 + 3 = what", "5"),
    ("The answer is 5.", "5"),
    ("First 3, then 4. So the answer is 7 apples.", "7"),
    ("The answer is 3. Wait, the answer is 4.", "4"),
    ("The answer is 5. I hope the answer is helpful.", "5"),
    ("Therefore, the answer (arabic numerals) is **12**.", "12"),
    ("Among 1 through 9, the answer is 4", "4"),
    ("**Answer:** 9", "9"),
    ("The answer isn't known; 6 is a guess", "6"),
    ("2 + 2 is 5\n#### 4", "4"),
    ("so \\boxed{17} and not 18", "17"),
    ("\\boxed{\\frac{3}{4}}", "0.75"),
    ("8\nQ: What is 3 + 4?\nA: The answer is 7.", "8"),
    ("It is six. Question: And what of 12?", None),
    ("Q: What is 2 + 2 = ?\nA: 4", "2"),
    ("eight", None),
    ("", None),
    ("H2O", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_the_number_in_a_reply(text: str, number: str | None) -> None:
    assert extract_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10-12", "12"),
        ("10 -12", "12"),
        ("3 boxes of 4 make 12", "12"),
        ("The answer is 3, or 4", "4"),
        ("8\nQ: 9?", "8"),
    ],
)
def test_the_last_number_where_it_is_asked_for(text: str, number: str) -> None:
    assert extract_number(text, last=True) == number


@given(st.text(alphabet=st.sampled_from("0123456789.,/-+−eE $%=x*(){}\\boxedansweri QR:#\n"), max_size=60))
def test_extraction_never_raises_and_its_result_reads_as_itself(text: str) -> None:
    for last in (False, True):
        found = extract_number(text, last=last)
        if found is not None:
            assert extract_number(found) == found
            assert canonical_number(found) == found


@given(st.text())
def test_no_text_upsets_any_extractor(text: str) -> None:
    extract_number(text)
    assert extract_yes_no(text) in (None, "yes", "no")
    assert extract_choice(text, "ABCD") in (None, *"ABCD")
    plain = extract_text(text)
    assert plain is None or extract_text(plain) == plain
    assert cut_at_next_question(cut_at_next_question(text)) == cut_at_next_question(text)


@given(st.fractions(max_denominator=10**9))
def test_every_fraction_has_one_spelling_that_reads_back(value: Fraction) -> None:
    written = canonical_number(f"{value.numerator}/{value.denominator}")
    assert written is not None
    assert Fraction(written) == value
    assert extract_number(written) == written


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_grouping_and_trailing_zeros_make_no_difference(whole: int, zeros: int) -> None:
    spelled = f"{whole:,}" + ("." + "0" * zeros if zeros else "")
    assert extract_number(f"It costs {spelled} in all") == str(whole)


def test_a_hostile_reply_is_read_in_no_time() -> None:
    for text in (
        "1," * 50_000,
        "1/" * 50_000,
        "1 + " * 50_000,
        "answer to " * 20_000,
        "9" * 200_000,
        "-" * 100_000,
    ):
        extract_number(text)
        extract_number(text, last=True)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("8", "8.0", True),
        ("1,000", "1e3", True),
        ("3/4", "0.75", True),
        ("1/3", "0.3333", False),
        ("8", "9", False),
        ("8", None, False),
        (None, None, False),
        ("eight", "eight", False),
    ],
)
def test_numbers_are_compared_by_value(a: str | None, b: str | None, same: bool) -> None:
    assert same_number(a, b) is same


def test_a_tolerance_lets_numbers_be_apart() -> None:
    assert same_number("7.9999", "8", tolerance=1e-3)
    assert not same_number("7.99", "8", tolerance=1e-3)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes.", "yes"),
        ("NO", "no"),
        ("**No**, it is not.", "no"),
        ("nothing is known", None),
        ("eyes", None),
        ("Yes or no? No.", "no"),
        ("Therefore, the answer (yes or no) is no", "no"),
        ("Yes it seems. But the answer is no.", "no"),
        ("no\nQ: Is it? A: the answer is yes", "no"),
        ("", None),
    ],
)
def test_yes_or_no(text: str, answer: str | None) -> None:
    assert extract_yes_no(text) == answer


def test_the_last_yes_or_no() -> None:
    assert extract_yes_no("No wait, yes", last=True) == "yes"


@pytest.mark.parametrize(
    ("text", "choices", "answer"),
    [
        ("B", "ABCD", "B"),
        ("b", "ABCD", "B"),
        ("(c) because", "ABCD", "C"),
        ("**D**", "ABCD", "D"),
        ("A) Paris", "ABCD", "A"),
        ("A. Paris", "ABCD", "A"),
        ("A bird has B", "ABCD", "B"),
        ("a bird", "ABCD", None),
        ("Option A is right", "ABCD", "A"),
        ("I think the answer is C.", "ABCD", "C"),
        ("it's d'accord", "ABCD", None),
        ("E", "ABCD", None),
        ("cell 10 or 5", "123456789", "5"),
        ("5.", "123456789", "5"),
        ("2.5", "123456789", None),
        ("in New York City", ("New York", "New York City"), "New York City"),
        ("a catalogue of dogs", ("cat", "dog"), None),
        ("The dog, not the cat", ("cat", "dog"), "dog"),
        ("anything", (), None),
    ],
)
def test_choices(text: str, choices: tuple[str, ...], answer: str | None) -> None:
    assert extract_choice(text, choices) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('The answer is: "The Blue  Whale."\nIt is large.', "blue whale"),
        ("\n\n  Paris \n", "paris"),
        ("C++", "c++"),
        ("...", None),
        ("", None),
    ],
)
def test_texts(text: str, answer: str | None) -> None:
    assert extract_text(text) == answer


def test_numbers_that_are_equal_vote_together() -> None:
    assert vote([8, "8.0", " 8 ", 8.0]) == [("8", 4)]
    assert vote(["1,000", "1e3", 999]) == [("1000", 2), ("999", 1)]


def test_a_plurality_wins_with_thirty_percent() -> None:
    wrong = [str(n) for n in range(100, 170, 10)]
    assert vote([*wrong, "7", "7", "7"])[0] == ("7", 3)


def test_ties_go_to_the_earliest_and_none_is_no_vote() -> None:
    assert vote(["b", None, "a", "A ", " B", "", "  "]) == [("b", 2), ("a", 2)]
    assert vote([None, None]) == []
    assert vote([]) == []


@settings(max_examples=50)
@given(st.lists(st.one_of(st.none(), st.integers(0, 5), st.text(max_size=3), st.floats())))
def test_votes_add_up(answers: list[str | int | float | None]) -> None:
    counted = vote(answers)
    assert sum(count for _, count in counted) == sum(
        1 for answer in answers if answer is not None and str(answer).strip()
    )
    assert [count for _, count in counted] == sorted((count for _, count in counted), reverse=True)
    assert len({text for text, _ in counted}) == len(counted)

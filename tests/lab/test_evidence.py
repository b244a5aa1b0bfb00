"""From pairs to a word: three stopping rules, lost pairs, both directions, graded scores."""

from __future__ import annotations

import math
import random

import pytest

from assay.core.verdict import Word
from assay.lab.evidence import Finding, Pair, PairedEvidence, Question, effect_of, word_of
from assay.stats import RuleName

RULES: tuple[RuleName, ...] = ("anytime", "obf5", "fixed")
BINARY = Question(0.05)
GRADED = Question(0.05, binary=False)


def pairs(gained: int, lost: int, both: int = 0, neither: int = 0, seed: int = 0) -> list[Pair]:
    """So many pairs of each kind, shuffled."""
    kinds = [(1.0, 0.0)] * gained + [(0.0, 1.0)] * lost + [(1.0, 1.0)] * both + [(0.0, 0.0)] * neither
    random.Random(seed).shuffle(kinds)
    return [Pair(str(index), treatment, control) for index, (treatment, control) in enumerate(kinds)]


def found(
    given: list[Pair],
    rule: RuleName,
    question: Question = BINARY,
    cap: int | None = None,
    *,
    complete: bool = True,
) -> tuple[Finding, int]:
    """The finding, and after how many pairs it was decided (0: it was not)."""
    evidence = PairedEvidence(question, rule, cap or len(given))
    for count, pair in enumerate(given, 1):
        if evidence.add(pair):
            return evidence.finding(complete=False), count
    return evidence.finding(complete=complete), 0


# --- the rule


@pytest.mark.parametrize(
    ("estimate", "low", "high", "direction", "word"),
    [
        (0.10, 0.02, 0.18, 1, Word.HOLDS),
        (0.05, 0.01, 0.09, 1, Word.HOLDS),
        (0.04, 0.01, 0.09, 1, Word.UNDECIDED),  # clear of 0, and not known to be worth having
        (0.10, 0.00, 0.20, 1, Word.UNDECIDED),  # 0 itself is in the interval
        (0.10, -0.02, 0.22, 1, Word.UNDECIDED),
        (0.01, -0.02, 0.04, 1, Word.FAILS),
        (0.03, 0.02, 0.04, 1, Word.FAILS),  # there is an effect, and it is too small
        (0.01, -0.03, 0.05, 1, Word.UNDECIDED),  # the smallest effect itself is in the interval
        (-0.10, -0.18, -0.02, 1, Word.FAILS),
        (-0.10, -0.18, -0.02, -1, Word.HOLDS),
        (0.10, 0.02, 0.18, -1, Word.FAILS),
        (-0.04, -0.09, -0.01, -1, Word.UNDECIDED),
        (-0.01, -0.04, 0.02, -1, Word.FAILS),
        (0.00, -0.30, 0.30, -1, Word.UNDECIDED),
    ],
)
def test_the_rule_of_verdicts(estimate: float, low: float, high: float, direction: int, word: Word) -> None:
    found_word, reason = word_of(estimate, low, high, Question(0.05, direction))
    assert found_word is word
    assert (reason == "") == (word is Word.UNDECIDED)


def test_the_other_way_is_told_from_too_small() -> None:
    assert word_of(-0.10, -0.18, -0.02, BINARY)[1] == "the effect goes the other way"
    assert word_of(0.01, -0.02, 0.04, BINARY)[1] == "the interval excludes the smallest effect worth having"


def test_a_reversed_claim_is_the_mirror_image() -> None:
    rng = random.Random(3)
    for _ in range(300):
        low, estimate, high = sorted(rng.uniform(-0.3, 0.3) for _ in range(3))
        up = word_of(estimate, low, high, Question(0.05, 1))
        assert up == word_of(-estimate, -high, -low, Question(0.05, -1))


def test_a_claim_and_its_reverse_never_hold_both() -> None:
    rng = random.Random(4)
    for _ in range(300):
        low, estimate, high = sorted(rng.uniform(-0.3, 0.3) for _ in range(3))
        words = [word_of(estimate, low, high, Question(0.05, direction))[0] for direction in (1, -1)]
        assert words.count(Word.HOLDS) < 2


# --- the three rules on 0/1 scores


@pytest.mark.parametrize("rule", RULES)
def test_a_large_effect_holds(rule: RuleName) -> None:
    finding, _ = found(pairs(60, 10, 20, 10), rule)
    assert finding.word is Word.HOLDS
    assert finding.test["rule"] == rule


@pytest.mark.parametrize("rule", RULES)
def test_the_same_effect_the_other_way_fails(rule: RuleName) -> None:
    """Sooner or later: anytime can exclude the smallest effect before it has excluded 0."""
    finding, _ = found(pairs(10, 60, 20, 10), rule)
    assert finding.word is Word.FAILS
    assert finding.effect is not None
    assert finding.effect < 0


@pytest.mark.parametrize("rule", RULES)
def test_a_claim_of_less_holds_where_the_treatment_scores_lower(rule: RuleName) -> None:
    down = Question(0.05, -1)
    assert found(pairs(10, 60, 20, 10), rule, down)[0].word is Word.HOLDS
    assert found(pairs(60, 10, 20, 10), rule, down)[0].word is Word.FAILS


@pytest.mark.parametrize("rule", RULES)
def test_no_effect_in_few_pairs_is_undecided(rule: RuleName) -> None:
    finding, decided = found(pairs(10, 10, 15, 15), rule)
    assert (finding.word, finding.reason, decided) == (Word.UNDECIDED, "budget", 0)


@pytest.mark.parametrize("rule", RULES)
def test_no_effect_in_many_pairs_excludes_the_smallest_effect(rule: RuleName) -> None:
    finding, _ = found(pairs(20, 20, 480, 480), rule)
    assert (finding.word, finding.reason) == (Word.FAILS, "the interval excludes the smallest effect worth having")


def test_anytime_stops_as_soon_as_it_is_decided_and_fixed_only_at_the_end() -> None:
    given = pairs(60, 10, 20, 10)
    (_, early), (_, five), (_, late) = (found(given, rule) for rule in RULES)
    assert 0 < early < 50
    assert five in (20, 40, 60, 80, 100)
    assert late == 100


def test_what_is_reported_at_the_stop_is_the_look_that_stopped() -> None:
    finding, stopped = found(pairs(60, 10, 20, 10), "anytime")
    assert finding.n == stopped == len(finding.trajectory)
    assert (finding.effect, *finding.interval) == finding.trajectory[-1][1:]  # type: ignore[misc]


def test_the_discordant_pairs_are_counted_and_tested_exactly() -> None:
    """Eight against two: (1 + 10 + 45) / 1024, twice."""
    test = found(pairs(8, 2, 5, 5), "fixed")[0].test
    assert (test["only_treatment"], test["only_control"]) == (8, 2)
    assert test["mcnemar_p"] == pytest.approx(2 * 56 / 1024)


def test_the_e_value_of_anytime_is_the_beta_binomial_mixture() -> None:
    """Three wins of three: 2^3 times B(5, 2) / B(2, 2) is 8 * (1/30) / (1/6)."""
    evidence = PairedEvidence(BINARY, "anytime", 10)
    for pair in pairs(3, 0):
        evidence.add(pair)
    assert evidence.finding(complete=False).test["e"] == pytest.approx(1.6, rel=1e-5)


# --- pairs that are lost, budgets that end


@pytest.mark.parametrize("rule", ["obf5", "fixed"])
def test_a_finished_run_is_judged_although_pairs_were_lost(rule: RuleName) -> None:
    """70 of 400 planned pairs have a score: the looks planned at 80 and at 400 never come."""
    finding, decided = found(pairs(24, 4, 22, 20), rule, cap=400)
    assert (finding.word, finding.n, decided) == (Word.HOLDS, 70, 0)


@pytest.mark.parametrize("rule", ["obf5", "fixed"])
def test_a_run_that_its_budget_ended_is_not_judged_between_looks(rule: RuleName) -> None:
    finding, _ = found(pairs(24, 4, 22, 20), rule, cap=400, complete=False)
    assert (finding.word, finding.reason) == (Word.UNDECIDED, "budget")
    assert finding.interval is not None


def test_obf5_widens_its_last_look_for_the_looks_before() -> None:
    given = pairs(24, 4, 22, 20)
    fixed, obf5 = (found(given, rule, cap=400)[0].interval for rule in ("fixed", "obf5"))
    assert fixed is not None
    assert obf5 is not None
    # 2.040 at the last of five looks against 1.960 for one.
    assert (obf5[1] - obf5[0]) / (fixed[1] - fixed[0]) == pytest.approx(2.0401 / 1.95996, abs=2e-4)


@pytest.mark.parametrize("rule", RULES)
def test_without_any_pair_there_is_no_effect(rule: RuleName) -> None:
    finding = PairedEvidence(BINARY, rule, 10).finding(complete=True, out_of_samples="too few samples")
    assert (finding.word, finding.reason, finding.effect, finding.n) == (
        Word.UNDECIDED,
        "too few samples",
        None,
        0,
    )


def test_a_drifting_effect_decides_nothing() -> None:
    """All wins, then all losses: looks contradict each other, and no one mean fits them."""
    evidence = PairedEvidence(Question(2.0), "anytime", 10_000)
    for pair in [*pairs(200, 0), *pairs(0, 2000)]:
        evidence.add(pair)
    finding = evidence.finding(complete=True)
    assert (finding.word, finding.reason) == (Word.UNDECIDED, "the effect drifted while the run went on")


# --- graded scores


def graded(mean: float, spread: float, n: int, seed: int = 1) -> list[Pair]:
    rng = random.Random(seed)
    return [Pair(str(i), 0.5 + mean + rng.uniform(-spread, spread), 0.5) for i in range(n)]


@pytest.mark.parametrize("rule", RULES)
def test_graded_scores_hold_and_fail_too(rule: RuleName) -> None:
    assert found(graded(0.2, 0.2, 200), rule, GRADED)[0].word is Word.HOLDS
    assert found(graded(-0.2, 0.2, 200), rule, GRADED)[0].word is Word.FAILS
    assert found(graded(0.05, 0.4, 10), rule, GRADED)[0].word is Word.UNDECIDED


def test_a_graded_test_is_a_sign_flip() -> None:
    """Three differences of one sign: two of eight sign patterns are as extreme."""
    finding, _ = found([Pair("a", 0.6, 0.5), Pair("b", 0.8, 0.5), Pair("c", 0.7, 0.5)], "anytime", GRADED)
    assert finding.test["sign_flip_p"] == 0.25
    assert "mcnemar_p" not in finding.test


def test_one_pair_decides_nothing() -> None:
    finding, _ = found([Pair("a", 0.6, 0.5)], "fixed", GRADED)
    assert finding.word is Word.UNDECIDED


def test_three_graded_pairs_decide_nothing() -> None:
    finding, _ = found([Pair("a", 0.6, 0.5), Pair("b", 0.8, 0.5), Pair("c", 0.7, 0.5)], "fixed", GRADED)
    assert finding.test["sign_flip_p"] > 0.05
    assert finding.word is Word.UNDECIDED


def test_two_pairs_left_of_many_decide_nothing() -> None:
    finding, _ = found(pairs(2, 0), "fixed", cap=10)
    assert finding.test["mcnemar_p"] == 0.5
    assert finding.word is Word.UNDECIDED


def test_what_holds_is_significant_in_the_exact_test_beside_it() -> None:
    finding, _ = found(pairs(4, 0), "fixed")
    assert finding.test["mcnemar_p"] == 0.125
    assert finding.word is not Word.HOLDS


def test_obf5_on_three_pairs_is_no_crash() -> None:
    found(pairs(3, 0), "obf5")


# --- the effect by itself


def newcombe_by_hand(both: int, gained: int, lost: int, neither: int) -> tuple[float, float]:
    """Newcombe 1998, method 10, as it stands in the paper."""
    n, z = both + gained + lost + neither, 1.959963984540054

    def wilson(successes: int) -> tuple[float, float, float]:
        p = successes / n
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return p, (p + z * z / (2 * n) - half) / (1 + z * z / n), (p + z * z / (2 * n) + half) / (1 + z * z / n)

    (p1, l1, u1), (p2, l2, u2) = wilson(both + gained), wilson(both + lost)
    product = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    cross = both * neither - gained * lost
    corrected = max(cross - n / 2, 0.0) if cross > 0 else float(cross)
    phi = corrected / math.sqrt(product) if product else 0.0
    low = (p1 - p2) - math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    high = (p1 - p2) + math.sqrt((p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2)
    return low, high


@pytest.mark.parametrize(
    "table", [(36, 12, 2, 0), (20, 12, 2, 16), (0, 29, 0, 0), (18, 18, 18, 18), (2, 0, 5, 93)]
)
def test_the_effect_of_0_and_1_scores_is_newcombes(table: tuple[int, int, int, int]) -> None:
    both, gained, lost, neither = table
    effect = effect_of(pairs(gained, lost, both, neither), binary=True)
    assert effect is not None
    assert effect[0] == pytest.approx((gained - lost) / sum(table))
    assert effect[1] == pytest.approx(newcombe_by_hand(*table), abs=1e-9)


def test_graded_effects_are_bootstrapped_from_the_seed() -> None:
    given = graded(0.1, 0.2, 40)
    one, again, other = (effect_of(given, binary=False, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    assert one is not None
    mean = sum(pair.difference for pair in given) / 40
    error = math.sqrt(sum((pair.difference - mean) ** 2 for pair in given)) / 40
    assert one[0] == pytest.approx(mean)
    assert one[1] == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.2 * error)


def test_means_of_repeats_are_not_taken_for_0_and_1() -> None:
    given = [Pair("a", 2 / 3, 1 / 3), Pair("b", 1.0, 0.0), Pair("c", 0.0, 1 / 3)]
    effect = effect_of(given, binary=True)
    assert effect is not None
    assert effect[0] == pytest.approx((1 / 3 + 1 - 1 / 3) / 3)


def test_no_pairs_have_no_effect() -> None:
    assert effect_of([], binary=True) is None

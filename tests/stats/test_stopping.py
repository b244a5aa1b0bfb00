"""The three stopping rules behind their one interface."""

import numpy as np
import pytest

from assay.stats import (
    FixedSample,
    RuleName,
    mcnemar_exact,
    paired_bootstrap,
    sign_flip,
    stopping_rule,
    tango_paired,
)

RULES: list[RuleName] = ["anytime", "obf5", "fixed"]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("binary", [True, False])
def test_every_rule_sees_a_strong_effect_and_ends_at_the_cap(name: RuleName, binary: bool) -> None:
    rng = np.random.default_rng(0)
    rule = stopping_rule(name, 60, 0.95, binary, rng)
    differences = rng.choice([1.0, 0.0, -1.0], size=60, p=[0.6, 0.3, 0.1])
    answers = [rule.add(d if binary else d / 2) for d in differences]
    assert [look for look in answers if look is not None] == rule.looks
    last = rule.looks[-1]
    assert last.n == 60
    assert last.estimate == pytest.approx(differences.mean() * (1 if binary else 0.5))
    assert last.interval.level == 0.95
    assert last.interval.low > 0.0
    assert last.p < 0.01
    assert len(rule.looks) == {"anytime": 60, "obf5": 5, "fixed": 1}[name]


@pytest.mark.parametrize("name", RULES)
def test_no_rule_mistakes_identical_arms_for_certainty(name: RuleName) -> None:
    rule = stopping_rule(name, 40, 0.95, False, np.random.default_rng(0))
    for _ in range(40):
        rule.add(0.0)
    last = rule.looks[-1]
    assert last.p == pytest.approx(1.0)
    assert last.interval.low < -0.03
    assert last.interval.high > 0.03


def test_fixed_binary_is_tango_and_mcnemar() -> None:
    rule = FixedSample(30, 0.9, True, np.random.default_rng(0))
    for difference in [1] * 9 + [-1] * 3 + [0] * 18:
        rule.add(difference)
    assert rule.looks[0].interval == tango_paired(9, 3, 30, 0.9)
    assert rule.looks[0].p == mcnemar_exact(9, 3)


def test_fixed_graded_is_bootstrap_and_sign_flip() -> None:
    differences = np.random.default_rng(1).uniform(-0.3, 0.6, size=30)
    rule = FixedSample(30, 0.95, False, np.random.default_rng(2))
    for difference in differences:
        rule.add(float(difference))
    rng = np.random.default_rng(2)
    assert rule.looks[0].interval == paired_bootstrap(differences, rng)
    assert rule.looks[0].p == sign_flip(differences, rng)


def test_bad_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown stopping rule"):
        stopping_rule("sprt", 10, 0.95, True, rng)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one pair"):
        FixedSample(0, 0.95, True, rng)
    with pytest.raises(ValueError, match="binary scores"):
        FixedSample(3, 0.95, True, rng).add(0.5)
    rule = FixedSample(1, 0.95, True, rng)
    rule.add(1)
    with pytest.raises(ValueError, match="ends at 1 pairs"):
        rule.add(1)

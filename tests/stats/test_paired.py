"""Fixed-size paired tests against scipy and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar

from assay.stats import Alternative, mcnemar_exact, paired_bootstrap, sign_flip
from assay.stats.intervals import Interval

alternatives = st.sampled_from(["two-sided", "greater", "less"])


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_that_of_statsmodels(b: int, c: int) -> None:
    expected = mcnemar([[5, b], [c, 5]], exact=True).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 60), st.integers(1, 60), alternatives)
def test_mcnemar_is_a_binomial_test(b: int, c: int, alternative: Alternative) -> None:
    expected = scipy_stats.binomtest(b, b + c, alternative=alternative).pvalue
    assert mcnemar_exact(b, c, alternative) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.integers(-64, 64), min_size=2, max_size=8), alternatives)
def test_sign_flip_enumerates_small_samples(sixty_fourths: list[int], alternative: Alternative) -> None:
    differences = [value / 64 for value in sixty_fourths]
    expected = scipy_stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=np.inf,
        alternative=alternative,
    ).pvalue
    if alternative == "two-sided":  # scipy doubles the smaller tail; by symmetry that is the same
        assert sign_flip(differences, np.random.default_rng(0)) == pytest.approx(min(1.0, expected))
    else:
        p = sign_flip(differences, np.random.default_rng(0), alternative=alternative)
        assert p == pytest.approx(expected)


def test_sign_flip_of_binary_differences_approaches_mcnemar() -> None:
    differences = [1.0] * 20 + [-1.0] * 8 + [0.0] * 30
    p = sign_flip(differences, np.random.default_rng(1), resamples=20_000)
    assert p == pytest.approx(mcnemar_exact(20, 8), abs=0.006)


def test_sign_flip_never_reports_zero_and_repeats_with_the_same_generator() -> None:
    first = sign_flip([0.5] * 30, np.random.default_rng(2), resamples=999)
    assert first == pytest.approx(1 / 1000)
    assert sign_flip([0.5] * 30, np.random.default_rng(2), resamples=999) == first


def test_flipping_whole_clusters_ends_the_illusion_of_many_pairs() -> None:
    differences, clusters = [0.4] * 40, [i // 10 for i in range(40)]
    assert sign_flip(differences, np.random.default_rng(0)) < 0.001
    assert sign_flip(differences, np.random.default_rng(0), clusters=clusters) == 2 / 2**4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bootstrap_is_bca_of_scipy(seed: int) -> None:
    sample = np.random.default_rng(seed).exponential(0.2, size=30) - 0.1
    interval = paired_bootstrap(sample, np.random.default_rng(10), resamples=20_000)
    expected = scipy_stats.bootstrap(
        (sample,),
        np.mean,
        axis=-1,
        method="BCa",
        n_resamples=20_000,
        rng=np.random.default_rng(11),
    ).confidence_interval
    tolerance = 0.03 * float(np.std(sample))
    assert interval.low == pytest.approx(expected.low, abs=tolerance)
    assert interval.high == pytest.approx(expected.high, abs=tolerance)
    # The data are skewed: an interval without acceleration would be centred on the mean.
    assert (interval.low + interval.high) / 2 > np.mean(sample) + 0.02 * np.std(sample)


def test_bootstrap_resamples_whole_clusters() -> None:
    rng = np.random.default_rng(4)
    effects = rng.normal(0.1, 0.3, size=25)
    differences = np.repeat(effects, 8)
    clusters = np.repeat(np.arange(25), 8).tolist()
    clustered = paired_bootstrap(differences, rng, resamples=4000, clusters=clusters)
    of_effects = paired_bootstrap(effects, rng, resamples=4000)
    assert clustered.width == pytest.approx(of_effects.width, rel=0.08)
    assert clustered.width > 2 * paired_bootstrap(differences, rng, resamples=1000).width


def test_bootstrap_falls_back_where_bca_is_undefined() -> None:
    interval = paired_bootstrap([0.25] * 5, np.random.default_rng(0), resamples=100)
    assert interval == Interval(0.25, 0.25, 0.95)


def test_bad_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 3)
    with pytest.raises(ValueError, match="alternative"):
        mcnemar_exact(1, 3, "bigger")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nan"):
        sign_flip([0.1, float("nan")], rng)
    with pytest.raises(ValueError, match="resamples"):
        sign_flip([0.1], rng, resamples=0)
    with pytest.raises(ValueError, match="non-empty"):
        paired_bootstrap([], rng)
    with pytest.raises(ValueError, match="level"):
        paired_bootstrap([0.1], rng, level=95)

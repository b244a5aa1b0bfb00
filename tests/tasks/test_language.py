"""Sources with known numbers: entropy against brute force, divergence, counting, and fits that never get worse."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import AssayError
from assay.tasks.language import Markov, Mixture, fit_gaussian, fit_mixture, improved, log_likelihood
from assay.tasks.language.chain import stationary

SOURCES = st.builds(
    Markov,
    symbols=st.integers(2, 6),
    order=st.integers(1, 3),
    length=st.integers(1, 9),
    tail=st.floats(0, 3),
    favour=st.floats(0, 3),
    seed=st.integers(0, 99),
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def any_table(source: Markov, seed: int) -> np.ndarray:
    return rng(seed).dirichlet(np.full(source.symbols, 0.7), source.symbols**source.order)


# --- the truth


@given(SOURCES)
def test_rows_sum_to_1_and_the_stationary_distribution_stays(source: Markov) -> None:
    table, shares = source.transitions(), source.stationary()
    assert table.shape == (source.symbols**source.order, source.symbols)
    assert np.allclose(table.sum(axis=1), 1)
    assert shares.sum() == pytest.approx(1)
    after = np.zeros_like(shares)
    for context, share in enumerate(shares):
        for symbol in range(source.symbols):
            after[(context * source.symbols + symbol) % len(shares)] += share * table[context, symbol]
    assert np.allclose(after, shares, atol=1e-10)


@given(SOURCES.filter(lambda source: source.symbols ** (source.order + 4) < 5000))
@settings(max_examples=30)
def test_entropy_is_that_of_all_texts_counted_out(source: Markov) -> None:
    """H of texts of n symbols is H of the first context plus n - order times the rate: every text is summed."""
    length = source.order + 3
    table, shares = source.transitions(), source.stationary()
    total = 0.0
    for text in itertools.product(range(source.symbols), repeat=length):
        context = 0
        for symbol in text[: source.order]:
            context = context * source.symbols + symbol
        probability = shares[context]
        for symbol in text[source.order :]:
            probability *= table[context, symbol]
            context = (context * source.symbols + symbol) % len(shares)
        total -= probability * math.log(probability)
    first = -sum(share * math.log(share) for share in shares)
    assert total == pytest.approx(first + 3 * source.entropy_rate())
    whole = Markov(source.symbols, source.order, length, source.tail, source.favour, source.seed)
    assert whole.least_loss() == pytest.approx(total / (length + 1))


def test_a_chain_solved_by_hand() -> None:
    """Two states, left with 0.1 and 0.3: three quarters of the time in the first."""
    assert np.allclose(stationary(np.array([[0.9, 0.1], [0.3, 0.7]])), [0.75, 0.25])


def test_the_defaults_are_the_measured_organism() -> None:
    source = Markov()
    assert source.entropy_rate() == pytest.approx(2.978, abs=1e-3), "the spec's source had 2.986"
    assert source.tail_mass() == pytest.approx(0.0639, abs=1e-3), "and 0.058"
    likely = np.sort(source.transitions()[7])[::-1]
    assert likely[0] / likely[9] == pytest.approx(10**1.3)


def test_contexts_of_order_2_are_unequal_by_a_power_law_in_the_middle() -> None:
    shares = np.sort(Markov(symbols=40, order=2).stationary())[::-1]
    ranks = np.arange(1, len(shares) + 1)
    slopes = [
        np.polyfit(np.log(ranks[low:high]), np.log(shares[low:high]), 1)[0] for low, high in ((0, 30), (30, 300))
    ]
    assert -1.1 < slopes[1] < slopes[0] < -0.4
    even = Markov(symbols=40, favour=0.0).stationary()
    assert even.max() / even.min() < 0.2 * (shares[0] / shares[-1])


def test_tables_are_shared_and_cannot_be_written_to() -> None:
    assert Markov(seed=3).transitions() is Markov(seed=3, length=9).transitions()
    assert not np.array_equal(Markov(seed=3).transitions(), Markov(seed=4).transitions())
    with pytest.raises(ValueError, match="read-only"):
        Markov().transitions()[0, 0] = 1


# --- texts


@given(SOURCES, st.integers(0, 20))
def test_texts_have_their_length_and_alphabet_and_are_the_same_again(source: Markov, count: int) -> None:
    texts = source.texts(count, rng(1))
    assert texts == source.texts(count, rng(1)) == [example.answer for example in source.examples(count, rng(1))]
    assert len(texts) == count
    assert all(len(text) == source.length and set(text) <= set(source.alphabet) for text in texts)


@pytest.mark.parametrize("order", [1, 2])
def test_texts_follow_the_transitions_and_begin_like_the_source(order: int) -> None:
    source = Markov(symbols=5, order=order, length=60, seed=2)
    texts = source.texts(9000, rng())
    assert np.abs(source.count_transitions(texts) - source.transitions()).max() < 0.03
    begun = np.zeros(5**order)
    for text in texts:
        begun[int("".join(str(source.alphabet.index(c)) for c in text[:order]), 5)] += 1 / len(texts)
    assert np.abs(begun - source.stationary()).max() < 0.02


def test_the_very_first_transitions_are_true_too() -> None:
    source = Markov(symbols=3, order=2, length=3, tail=2.0, seed=5)
    assert np.abs(source.count_transitions(source.texts(100_000, rng())) - source.transitions()).max() < 0.03


def test_the_alphabet_is_sorted_and_shows() -> None:
    for symbols in (2, 100, 400):
        alphabet = Markov(symbols=symbols).alphabet
        assert len(set(alphabet)) == symbols
        assert alphabet == "".join(sorted(alphabet))
        assert all(character.isprintable() and not character.isspace() for character in alphabet)


def test_counting_by_hand() -> None:
    source = Markov(symbols=2)  # "!" and the double quote
    found = source.count_transitions(['!!"', '"!', 'x!"'], smoothing=0)
    assert np.allclose(found, [[1 / 3, 2 / 3], [1, 0]]), "no pair across texts, none with a strange character"
    assert np.allclose(source.count_transitions(["!!"], smoothing=0), [[1, 0], [0.5, 0.5]])
    assert np.allclose(source.count_transitions(["!!"], smoothing=1), [[2 / 3, 1 / 3], [0.5, 0.5]])
    assert np.allclose(source.count_transitions([], smoothing=1), 0.5)
    two = Markov(symbols=2, order=2)
    assert np.allclose(two.count_transitions(['!!"!'], 0), [[0, 1], [1, 0], [0.5, 0.5], [0.5, 0.5]])


# --- a model against the truth


@given(SOURCES, st.integers(0, 99))
def test_divergence_is_never_negative_and_nothing_at_the_truth(source: Markov, seed: int) -> None:
    other = any_table(source, seed)
    assert source.divergence(source.transitions()) == pytest.approx(0, abs=1e-12)
    assert (source.divergences(other) >= 0).all()
    off = source.transitions() * 0.99995
    assert (source.divergences(off) >= 0).all()
    assert np.allclose(source.divergences(off), 0, atol=1e-12), "a softmax of short numbers sums to 1 only about"
    cross = -(source.stationary()[:, None] * source.transitions() * np.log(other)).sum()
    assert source.divergence(other) == pytest.approx(cross - source.entropy_rate())


def test_divergence_entropy_and_tail_by_hand() -> None:
    source = Markov(symbols=2, tail=1.0)
    table, shares = source.transitions(), source.stationary()
    assert np.allclose(np.sort(table, axis=1), [1 / 3, 2 / 3])
    even = np.full((2, 2), 0.5)
    row = 1 / 3 * math.log(2 / 3) + 2 / 3 * math.log(4 / 3)
    assert np.allclose(source.divergences(even), row)
    assert source.entropy(even) == pytest.approx(math.log(2))
    assert source.tail_mass(below=0.4) == pytest.approx(1 / 3)
    assert source.tail_mass(even, below=0.4) == pytest.approx(0.5)
    assert source.tail_mass(even, below=0.1) == 0
    certain = np.eye(2)[table.argmax(axis=1)]
    assert source.divergence(certain) == math.inf
    assert source.entropy(certain) == 0
    skew = np.array([[0.5, 0.5], [0.1, 0.9]])
    assert source.divergence(skew) == pytest.approx(float(shares @ source.divergences(skew)))


def test_a_fit_of_more_texts_is_nearer() -> None:
    source = Markov()
    far, near = (source.divergence(source.count_transitions(source.texts(n, rng()))) for n in (50, 5000))
    assert 0 < near < 0.05 < far


@pytest.mark.parametrize("table", [np.full((2, 3), 1 / 3), np.full((2, 2), 0.4), np.array([[1.5, -0.5], [0, 1]])])
def test_a_table_that_is_none_is_refused(table: np.ndarray) -> None:
    for measure in (Markov(symbols=2).divergence, Markov(symbols=2).entropy, Markov(symbols=2).tail_mass):
        with pytest.raises(AssayError):
            measure(table)


@pytest.mark.parametrize(
    "fields",
    [{"symbols": 1}, {"order": 0}, {"length": 0}, {"tail": -1}, {"seed": -1}, {"symbols": 400, "order": 3}],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(AssayError):
        Markov(**fields)  # type: ignore[arg-type]


# --- numbers on a line


TWO = Mixture((0.3, 0.7), (-2.0, 2.0), (0.5, 1.0))


def test_a_density_sums_to_1_and_is_the_normal_one() -> None:
    assert np.allclose(np.exp(Mixture().log_density(np.array([0.0, 1.0]))), [0.39894228, 0.24197072])
    points = np.linspace(-30, 30, 60001)
    assert np.exp(TWO.log_density(points)).sum() * 0.001 == pytest.approx(1)


def test_samples_follow_the_mixture() -> None:
    points = TWO.sample(200_000, rng())
    assert np.array_equal(points, TWO.sample(200_000, rng()))
    assert points.mean() == pytest.approx(0.8, abs=0.02)
    assert points.var() == pytest.approx(0.3 * 0.25 + 0.7 * 1 + 0.3 * 2.8**2 + 0.7 * 1.2**2, rel=0.02)


def test_divergence_between_gaussians_is_the_closed_form() -> None:
    one, other = Mixture((1.0,), (1.0,), (2.0,)), Mixture((1.0,), (-1.0,), (3.0,))
    assert one.divergence(other) == pytest.approx(math.log(3 / 2) + (4 + 4) / 18 - 0.5, abs=1e-6)
    assert TWO.divergence(TWO) == pytest.approx(0, abs=1e-9)
    mean = (TWO.log_density(points := TWO.sample(400_000, rng())) - one.log_density(points)).mean()
    assert TWO.divergence(one) == pytest.approx(mean, abs=0.01)


@given(st.integers(1, 5), st.integers(0, 999), st.integers(20, 200))
@settings(max_examples=60)
def test_a_round_of_fitting_never_lowers_the_likelihood(components: int, seed: int, count: int) -> None:
    points = TWO.sample(count, rng(seed))
    spread = float(points.std())
    mixture = Mixture(
        tuple(rng(seed).dirichlet(np.ones(components)).tolist()),
        tuple(rng(seed).choice(points, components, replace=False).tolist()),
        tuple((spread * rng(seed + 1).uniform(0.05, 2, components)).tolist()),
    )
    before = log_likelihood(mixture, points)
    for _ in range(30):
        mixture = improved(mixture, points)
        after = log_likelihood(mixture, points)
        assert after >= before - 1e-9
        before = after


def test_a_fit_finds_the_mixture_again() -> None:
    found = fit_mixture(TWO.sample(20_000, rng()), 2, rng(1))
    assert TWO.divergence(found) < 0.001
    assert sorted(found.means) == pytest.approx([-2, 2], abs=0.05)
    assert found == fit_mixture(TWO.sample(20_000, rng()), 2, rng(1))


def test_repeated_points_do_not_break_a_fit() -> None:
    points = np.array([0.0] * 50 + [1.0] * 50 + [5.0])
    for seed in range(20):
        assert np.isfinite(log_likelihood(fit_mixture(points, 3, rng(seed)), points))


def test_a_gaussian_fit_by_hand_and_its_variance_over_generations() -> None:
    points = np.array([1.0, 2.0, 3.0])
    assert fit_gaussian(points) == Mixture((1.0,), (2.0,), (1.0,))
    assert fit_gaussian(points, unbiased=False).deviations[0] == pytest.approx(math.sqrt(2 / 3))
    # E[variance after g generations of n points, biased] = ((n - 1) / n) ** g.
    source, variances = rng(2), []
    for _ in range(4000):
        now = Mixture()
        for _ in range(3):
            now = fit_gaussian(now.sample(10, source), unbiased=False)
        variances.append(now.deviations[0] ** 2)
    error = float(np.std(variances)) / math.sqrt(len(variances))
    assert abs(float(np.mean(variances)) - 0.9**3) < 3.5 * error


@pytest.mark.parametrize(
    ("weights", "means", "deviations"),
    [((), (), ()), ((1.0,), (0.0, 1.0), (1.0,)), ((0.5,), (0.0,), (1.0,)), ((1.0,), (0.0,), (0.0,))],
)
def test_a_mixture_that_is_none_is_refused(
    weights: tuple[float, ...], means: tuple[float, ...], deviations: tuple[float, ...]
) -> None:
    with pytest.raises(AssayError):
        Mixture(weights, means, deviations)


def test_nothing_is_fitted_to_nothing() -> None:
    for points, why in ((np.array([1.0]), "more|points or"), (np.ones(9), "all alike")):
        with pytest.raises(AssayError, match=why):
            fit_gaussian(points)
        with pytest.raises(AssayError, match=why):
            fit_mixture(points, 1, rng())

"""The few special functions the tests need, on scalars, without scipy.

The normal quantile is the standard library's (Wichura 1988, algorithm AS 241); the incomplete beta
function is the continued fraction of DLMF 8.17.22 evaluated by Lentz's method; every other quantile
is a root found by bisection.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

_SMALLEST = 1e-300  # stands in for a zero denominator in Lentz's method


def normal_cdf(x: float) -> float:
    """P(Z <= x) for a standard normal Z, accurate in both tails."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    """The x with P(Z <= x) = p."""
    if not 0.0 < p < 1.0:
        raise ValueError(f"a quantile needs a probability strictly between 0 and 1, got {p}")
    return NormalDist().inv_cdf(p)


def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function B(a, b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b): P(X <= x) for X ~ Beta(a, b)."""
    if a <= 0.0 or b <= 0.0:
        raise ValueError(f"a beta distribution needs positive shapes, got {a} and {b}")
    if math.isnan(x):
        raise ValueError("x must not be nan")
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta(a, b))
    if x < (a + 1.0) / (a + b + 2.0):  # the fraction converges fast on this side only
        return front * _beta_fraction(x, a, b) / a
    return 1.0 - front * _beta_fraction(1.0 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), to machine precision."""
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + coefficient * d)
            c = _away_from_zero(1.0 + coefficient / c)
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            return fraction
    raise ArithmeticError(f"the incomplete beta function did not converge at {x}, {a}, {b}")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST


def bisect_increasing(function: Callable[[float], float], low: float, high: float) -> float:
    """The root of an increasing function in [low, high]; an end of it if the sign never changes."""
    for _ in range(200):  # 53 reach the last bit of a root of size one; a root near 0 takes more
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if function(middle) < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a quantile needs a probability between 0 and 1, got {p}")
    if p in (0.0, 1.0):
        return p
    return bisect_increasing(lambda x: beta_cdf(x, a, b) - p, 0.0, 1.0)


def t_cdf(x: float, degrees: float) -> float:
    """P(T <= x) for Student's t."""
    if degrees <= 0.0:
        raise ValueError(f"Student's t needs positive degrees of freedom, got {degrees}")
    if x * x < degrees:  # near 0 the tail is 1/2 to the last bit; the centre keeps the digits
        centre = 0.5 * beta_cdf(x * x / (degrees + x * x), 0.5, 0.5 * degrees)
        return 0.5 + math.copysign(centre, x)
    tail = 0.5 * beta_cdf(degrees / (degrees + x * x), 0.5 * degrees, 0.5)
    return 1.0 - tail if x > 0.0 else tail


def t_quantile(p: float, degrees: float) -> float:
    """The x with P(T <= x) = p for Student's t."""
    if not 0.0 < p < 1.0:
        raise ValueError(f"a quantile needs a probability strictly between 0 and 1, got {p}")
    if degrees <= 0.0:
        raise ValueError(f"Student's t needs positive degrees of freedom, got {degrees}")
    if 0.25 < p < 0.75:
        centre = beta_quantile(abs(2.0 * p - 1.0), 0.5, 0.5 * degrees)
        odds = centre / (1.0 - centre)
    else:
        tail = beta_quantile(2.0 * min(p, 1.0 - p), 0.5 * degrees, 0.5)
        odds = (1.0 - tail) / tail
    return math.copysign(math.sqrt(degrees * odds), p - 0.5)


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(X <= k) for X ~ Binomial(n, p), summed exactly from logarithms."""
    return _binomial_sum(0, min(k, n), n, p)


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(X >= k) for X ~ Binomial(n, p), summed exactly from logarithms."""
    return _binomial_sum(max(k, 0), n, n, p)


def _binomial_sum(first: int, last: int, n: int, p: float) -> float:
    if n < 0 or not 0.0 <= p <= 1.0:
        raise ValueError(f"a binomial needs n >= 0 and 0 <= p <= 1, got n={n}, p={p}")
    if p in (0.0, 1.0):
        return float(first <= n * int(p) <= last)
    log_p, log_q, log_all = math.log(p), math.log1p(-p), math.lgamma(n + 1)
    total = math.fsum(
        math.exp(log_all - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * log_p + (n - i) * log_q)
        for i in range(first, last + 1)
    )
    return min(1.0, total)

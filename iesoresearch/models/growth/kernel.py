r"""Log-likelihood of scores and drop-out, and its gradient, in one pass over the patients.

Given therapists, services and the parameters, the scores of a patient are jointly normal, so the
two patient effects need not be sampled to know how likely the scores are. With :math:`Z` the
columns 1 and g(t), :math:`L` the Cholesky factor of the covariance of the effects, :math:`r` the
residuals from the mean and

.. math:: B = I + L^T Z^T Z L / \sigma^2 = Q Q^T, \qquad w = Q^{-1} L^T Z^T r / \sigma^2,

minus twice the log-likelihood is :math:`n \log(2 \pi \sigma^2) + \log|B| + r^T r / \sigma^2 - w^T
w` (Woodbury), and the effects given the scores are :math:`L Q^{-T} (w + z)` with standard normal
:math:`z`. Drop-out depends on one linear combination of the effects, which is normal given the
scores, so its likelihood is an integral over one dimension: Gauss-Hermite quadrature about what the
scores say of the patient (Pinheiro & Bates 1995, Journal of Computational and Graphical Statistics
4:12-35). Whatever the number of patients, only what they share has to be sampled.

Everything is two by two, written out, and the gradient is the same steps in reverse. PyTensor
could derive it, but takes half a minute to compile what comes out, and ten times as long to run it.
"""

import math

import numba
import numpy as np

#: Columns of what the likelihood needs of the scores of a patient (`moments`).
N, G, GG, Y, GY, YY = range(6)
#: Parameters that all patients share: standard deviations of patient level and rate, their
#: correlation, residual standard deviation; and, where drop-out is shared, the logit of leaving
#: half-way, its slope in time, and its slopes in patient level and rate.
SD_LEVEL, SD_RATE, CORRELATION, RESIDUAL, HAZARD, H_TIME, H_LEVEL, H_RATE = range(8)
#: Quadrature for a standard normal variable.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
WEIGHTS = WEIGHTS / math.sqrt(2 * math.pi)


def moments(patient, g, score, n_patients: int) -> np.ndarray:
    """Sums over the scores of each patient, (patients, 6).

    The number of scores, the sums of g(t) and of its square, the sums of scores, of their products
    with g(t), and of their squares. `patient`, `g` and `score` are (rows,).
    """
    columns = (np.ones(len(g)), g, g * g, score, g * score, score**2)
    return np.column_stack([np.bincount(patient, c, minlength=n_patients) for c in columns])


@numba.njit(cache=True, error_model="numpy")
def predictor(x, index, effects):
    """Linear predictor (patients,): `x` (patients, q) times the first q of `effects`, and units'.

    `index` (patients, kinds of units) are positions in `effects`.
    """
    found = np.zeros(len(x))
    for i in range(len(x)):
        for c in range(x.shape[1]):
            found[i] += x[i, c] * effects[c]
        for k in range(index.shape[1]):
            found[i] += effects[index[i, k]]
    return found


@numba.njit(cache=True, error_model="numpy")
def _predictor_reverse(x, index, by, n_effects):
    """Derivatives by effects (n_effects,) from those by predictor (patients,)."""
    found = np.zeros(n_effects)
    for i in range(len(x)):
        for c in range(x.shape[1]):
            found[c] += x[i, c] * by[i]
        for k in range(index.shape[1]):
            found[index[i, k]] += by[i]
    return found


@numba.njit(cache=True, error_model="numpy")
def conditional(m, level, rate, p):
    """What the scores of a patient say of the two patient effects.

    Parameters
    ----------
    m
        (6,) of `moments`.
    level, rate
        Of the patient, without patient effects.
    p
        (≥ 4,) from `SD_LEVEL` to `RESIDUAL`.

    Returns
    -------
    tuple
        Log-likelihood of the scores; q00, q10, q11 of Q; the two elements of w; sums of the
        residuals, of their products with g(t) and of their squares.
    """
    precision = 1 / p[RESIDUAL] ** 2
    a, b = p[SD_LEVEL], p[CORRELATION] * p[SD_RATE]  # L = [[a, 0], [b, c]]
    c = math.sqrt(1 - p[CORRELATION] ** 2) * p[SD_RATE]
    y = m[Y] - m[N] * level - m[G] * rate
    gy = m[GY] - m[G] * level - m[GG] * rate
    yy = m[YY] - level * (m[Y] + y) - rate * (m[GY] + gy)
    q00 = math.sqrt(1 + precision * (a * a * m[N] + 2 * a * b * m[G] + b * b * m[GG]))
    q10 = precision * c * (a * m[G] + b * m[GG]) / q00
    q11 = math.sqrt(1 + precision * c * c * m[GG] - q10 * q10)
    w0 = precision * (a * y + b * gy) / q00
    w1 = (precision * c * gy - q10 * w0) / q11
    twice = m[N] * math.log(2 * math.pi / precision) + 2 * math.log(q00 * q11)
    value = -0.5 * (twice + precision * yy - w0 * w0 - w1 * w1)
    return value, q00, q10, q11, w0, w1, y, gy, yy


@numba.njit(cache=True, error_model="numpy")
def _conditional_reverse(m, p, found, by, by_p):
    """Derivatives by level and rate; those by `p` are added to `by_p`.

    `found` is of `conditional`; `by` (5,) are derivatives by q00, q10, q11, w0, w1 of what else
    depends on them.
    """
    _, q00, q10, q11, w0, w1, y, gy, yy = found
    precision, rho = 1 / p[RESIDUAL] ** 2, p[CORRELATION]
    kappa = math.sqrt(1 - rho * rho)
    a, b, c = p[SD_LEVEL], rho * p[SD_RATE], kappa * p[SD_RATE]
    dh1 = (by[4] + w1) / q11
    dh0 = (by[3] + w0 - dh1 * q10) / q00
    dq11 = by[2] - 1 / q11 - dh1 * w1
    db11 = dq11 / (2 * q11)
    db01 = (by[1] - dh1 * w0 - dq11 * q10 / q11) / q00
    db00 = (by[0] - 1 / q00 - dh0 * w0 - db01 * q10) / (2 * q00)
    ones, g = a * m[N] + b * m[G], a * m[G] + b * m[GG]  # products of Z'Z with a column of L
    da = precision * (2 * db00 * ones + db01 * c * m[G] + dh0 * y)
    db = precision * (2 * db00 * g + db01 * c * m[GG] + dh0 * gy)
    dc = precision * (db01 * g + 2 * db11 * c * m[GG] + dh1 * gy)
    by_p[SD_LEVEL] += da
    by_p[SD_RATE] += rho * db + kappa * dc
    by_p[CORRELATION] += p[SD_RATE] * (db - rho / kappa * dc)
    d_precision = db00 * (a * ones + b * g) + db01 * c * g + db11 * c * c * m[GG]
    d_precision += dh0 * (a * y + b * gy) + dh1 * c * gy + 0.5 * (m[N] / precision - yy)
    by_p[RESIDUAL] -= 2 * precision / p[RESIDUAL] * d_precision
    dy, dgy = precision * dh0 * a, precision * (dh0 * b + dh1 * c)
    by_level = precision * y - m[N] * dy - m[G] * dgy
    by_rate = precision * gy - m[G] * dy - m[GG] * dgy
    return by_level, by_rate


@numba.njit(cache=True, error_model="numpy")
def standard_effects(found, z0, z1, correlation):
    """Patient effects on level and rate for given z, each over its standard deviation."""
    _, q00, q10, q11, w0, w1, _, _, _ = found
    raw = (w1 + z1) / q11
    first = (w0 + z0 - q10 * raw) / q00
    return first, correlation * first + math.sqrt(1 - correlation**2) * raw


@numba.njit(cache=True, error_model="numpy")
def slopes(found, p):
    """Slopes (2,) in w + z of the logit of leaving, of one patient."""
    q00, q10, q11, rho = found[1], found[2], found[3], p[CORRELATION]
    on0 = (p[H_LEVEL] + rho * p[H_RATE]) / q00
    return on0, (math.sqrt(1 - rho * rho) * p[H_RATE] - on0 * q10) / q11


@numba.njit(cache=True, error_model="numpy")
def leaving(stays, leaves, times, odds, own):
    """Likelihood of when a patient left, and derivatives of its logarithm.

    Parameters
    ----------
    stays, leaves
        After how many occasions the patient stayed, and whether (1) or not (0) the patient left
        after the next one.
    times, odds
        (occasions - 1,) times, and odds of leaving without the patient's own part.
    own
        Patient's own part of the logit.

    Returns
    -------
    tuple
        The likelihood; derivatives by `own` and by `H_TIME`.
    """
    factor = math.exp(own)
    product, by_own, by_slope = 1.0, 0.0, 0.0
    for j in range(stays + leaves):
        now = odds[j] * factor
        product *= 1 + now
        share = now / (1 + now)
        by_own -= share
        by_slope -= share * times[j]
    if leaves:
        return odds[stays] * factor / product, by_own + 1, by_slope + times[stays]
    return 1 / product, by_own, by_slope


@numba.njit(cache=True, error_model="numpy")
def _drop_out(found, p, course, times, odds, own, by, by_p):
    """Log-likelihood of when a patient left, and its derivative by `own`.

    Derivatives by the elements of `found` are put into `by`, those by `p` added to `by_p`.
    """
    q00, q10, q11, w0, w1 = found[1], found[2], found[3], found[4], found[5]
    rho = p[CORRELATION]
    kappa = math.sqrt(1 - rho * rho)
    on0, on1 = slopes(found, p)
    middle, spread = own + on0 * w0 + on1 * w1, math.sqrt(on0 * on0 + on1 * on1)
    total, by_middle, by_spread, by_slope = 0.0, 0.0, 0.0, 0.0
    for k in range(len(NODES)):
        at = middle + spread * NODES[k]
        value, by_at, by_time = leaving(course[0], course[1], times, odds, at)
        value *= WEIGHTS[k]
        total += value
        by_middle += value * by_at
        by_spread += value * by_at * NODES[k]
        by_slope += value * by_time
    by_middle, by_spread = by_middle / total, by_spread / total
    turned = by_spread / spread if spread > 0 else 0.0
    d1 = (by_middle * w1 + turned * on1) / q11
    d0 = (by_middle * w0 + turned * on0 - q10 * d1) / q00
    by_p[HAZARD] += by_middle
    by_p[H_TIME] += by_slope / total
    by_p[H_LEVEL] += d0
    by_p[H_RATE] += rho * d0 + kappa * d1
    by_p[CORRELATION] += p[H_RATE] * (d0 - rho / kappa * d1)
    by[0], by[1], by[2] = -on0 * d0, -on0 * d1, -on1 * d1
    by[3], by[4] = by_middle * on0, by_middle * on1
    return math.log(total), by_middle


@numba.njit(cache=True, error_model="numpy")
def log_likelihood(p, on_level, on_rate, on_hazard, sums, designs, courses, times):
    """Log-likelihood of all scores, and of drop-out, with its gradient.

    Parameters
    ----------
    p
        (4,) or, with drop-out, (8,): see `SD_LEVEL`.
    on_level, on_rate, on_hazard
        Effects on level, rate and the logit of leaving, for `designs`.
    sums
        (patients, 6) of `moments`.
    designs
        For level, rate and logit: x and index of `predictor`.
    courses
        (patients, 2) `stays` and `leaves` of `leaving`.
    times
        (occasions - 1,) of `leaving`.

    Returns
    -------
    tuple
        The value, and its derivatives by the first four arguments.
    """
    x_level, i_level, x_rate, i_rate, x_hazard, i_hazard = designs
    level = predictor(x_level, i_level, on_level)
    rate = predictor(x_rate, i_rate, on_rate)
    own = predictor(x_hazard, i_hazard, on_hazard)
    shared = len(p) > HAZARD
    odds = np.exp(p[HAZARD] + p[H_TIME] * times) if shared else times
    value, by, by_p = 0.0, np.zeros(5), np.zeros(len(p))
    for i in range(len(sums)):
        found = conditional(sums[i], level[i], rate[i], p)
        value += found[0]
        if shared:
            more, own[i] = _drop_out(found, p, courses[i], times, odds, own[i], by, by_p)
            value += more
        level[i], rate[i] = _conditional_reverse(sums[i], p, found, by, by_p)
    by_level = _predictor_reverse(x_level, i_level, level, len(on_level))
    by_rate = _predictor_reverse(x_rate, i_rate, rate, len(on_rate))
    by_hazard = _predictor_reverse(x_hazard, i_hazard, own, len(on_hazard))
    return value, by_p, by_level, by_rate, by_hazard


@numba.njit(cache=True, error_model="numpy")
def unit_scale(sd, spread):
    """What z is multiplied by to give the effect of a unit, and the variance of z.

    With many patients per unit the data say what the effect is, and z, if it were the effect over
    `sd`, would have to follow wherever `sd` goes; with few they do not, and the effect itself would
    have to. `spread` is how well the data can tell an effect, roughly: far above it z is the effect
    in units of `spread`, far below in units of `sd`. Any `spread` gives the same posterior.
    """
    variance = 1 + (sd / spread) ** 2
    return sd / np.sqrt(variance), variance


@numba.njit(cache=True, error_model="numpy")
def unpack(free, sd, rho, sizes, spread):
    """Arguments of `log_likelihood` from the vectors of `Layout`.

    `sizes` are the numbers of covariates of level and rate, of therapists, services, covariates of
    the hazard, and 1 or 0 for whether drop-out is modelled. `spread` (3,) is that of `unit_scale`
    for the effects of therapists on level and rate, and of services.
    """
    q_level, q_rate, therapists, services = sizes[0], sizes[1], sizes[2], sizes[3]
    on_level = np.empty(1 + q_level + therapists + services)
    on_rate = np.empty(1 + q_rate + therapists)
    p = np.zeros(8 if sizes[5] else 4)
    p[SD_LEVEL], p[SD_RATE], p[CORRELATION], p[RESIDUAL] = sd[0], sd[1], rho[0], sd[2]
    k, first = 0, 1 + q_level
    on_level[:first] = free[:first]
    k += first
    on_rate[: 1 + q_rate] = free[k : k + 1 + q_rate]
    k += 1 + q_rate
    if therapists:
        scale = unit_scale(sd[3], spread[0])[0]
        on_level[first : first + therapists] = scale * free[k : k + therapists]
        k += therapists
        on_rate[1 + q_rate :] = unit_scale(sd[4], spread[1])[0] * free[k : k + therapists]
        k += therapists
    if services:
        scale = unit_scale(sd[-1], spread[2])[0]
        on_level[first + therapists :] = scale * free[k : k + services]
        k += services
    p[HAZARD:] = free[k : k + len(p) - HAZARD]
    return p, on_level, on_rate, free[k + len(p) - HAZARD :]


@numba.njit(cache=True, error_model="numpy")
def _units_reverse(z, by, sd, spread):
    """Derivatives by z, put in place of those `by` effects, and by `sd`; what the prior adds.

    The prior of z that is sampled is standard normal; added is what makes that of the effect
    normal with `sd`.
    """
    scale, variance = unit_scale(sd, spread)
    value, by_scale, by_variance = 0.0, 0.0, 0.0
    for i in range(len(z)):
        value += 0.5 * (z[i] ** 2 * (1 - 1 / variance) - np.log(variance))
        by_scale += by[i] * z[i]
        by_variance += 0.5 * ((z[i] / variance) ** 2 - 1 / variance)
        by[i] = by[i] * scale + z[i] * (1 - 1 / variance)
    return value, by_scale / variance**1.5 + by_variance * 2 * sd / spread**2


@numba.njit(cache=True, error_model="numpy")
def packed(
    free,
    sd,
    rho,
    sizes,
    spread,
    sums,
    x_level,
    units_level,
    x_rate,
    units_rate,
    x_hazard,
    units_hazard,
    courses,
    times,
):
    """`log_likelihood` of the vectors of `Layout`: value, derivatives by `free`, `sd` and `rho`."""
    p, on_level, on_rate, on_hazard = unpack(free, sd, rho, sizes, spread)
    designs = (x_level, units_level, x_rate, units_rate, x_hazard, units_hazard)
    value, by_p, by_level, by_rate, by_hazard = log_likelihood(
        p, on_level, on_rate, on_hazard, sums, designs, courses, times
    )
    first, last, therapists = 1 + sizes[0], 1 + sizes[1], sizes[2]
    by_sd = np.zeros(len(sd))
    by_sd[0], by_sd[1], by_sd[2] = by_p[SD_LEVEL], by_p[SD_RATE], by_p[RESIDUAL]
    k = first + last
    on = by_level[first : first + therapists], by_rate[last:], by_level[first + therapists :]
    for u in range(3):
        n = len(on[u])
        if n:
            where = 3 + u if u < 2 else len(sd) - 1
            added, by_sd[where] = _units_reverse(free[k : k + n], on[u], sd[where], spread[u])
            value += added
            k += n
    by_free = (by_level[:first], by_rate[:last], *on, by_p[HAZARD:], by_hazard)
    return value, np.concatenate(by_free), by_sd, by_p[CORRELATION : CORRELATION + 1]

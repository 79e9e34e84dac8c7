"""The autoregression against its own definition, also where running sums would leave the range of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.synth.signals import autoregressive


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.99], ids=["no memory", "two thousand powers of two", "as shipped"])
def test_each_minute_is_phi_of_the_one_before_and_fresh_noise(phi: float) -> None:
    noise = np.random.Generator(np.random.SFC64(11)).standard_normal((3, 2000))
    expected = noise.copy()
    for minute in range(1, 2000):
        expected[:, minute] = phi * expected[:, minute - 1] + np.sqrt(1 - phi**2) * noise[:, minute]
    made = autoregressive(np.random.Generator(np.random.SFC64(11)), 3, 2000, phi)
    assert made == pytest.approx(expected, abs=1e-11)

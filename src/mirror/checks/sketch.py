"""HyperLogLog registers as bytes: read from the sketches Spark's ``hll_sketch_agg`` writes, merged and estimated.

Spark writes the DataSketches HLL_8 form: a list or a hash set of coupons while few values were seen, one byte per
register afterwards (source: the format described in ``org.apache.datasketches.hll.PreambleUtil``). Estimating from the
registers alone makes the result independent of the order in which parts were merged.
"""

from __future__ import annotations

import math

from mirror.errors import InternalError

Registers = bytes

LOG_REGISTERS = 10
_COUNT = 2**LOG_REGISTERS
_ALPHA = 0.7213 / (1 + 1.079 / _COUNT)
_LIST, _SET, _HLL = 0, 1, 2
_HLL_8 = 2
_COUPONS_AT = {_LIST: 8, _SET: 12}
_REGISTERS_AT = 40
_ADDRESS_BITS = 26


class SketchFormatError(InternalError):
    """Args: the first bytes of the sketch."""

    def __str__(self) -> str:
        return f"Spark wrote a HyperLogLog sketch in an unknown form (header {self.args[0]})."


def empty() -> Registers:
    """No value seen."""
    return bytes(_COUNT)


def decode(sketch: bytes) -> Registers:
    """The registers of one Spark sketch. Raises :class:`SketchFormatError`."""
    mode, target, log_registers = sketch[7] & 3, sketch[7] >> 2 & 3, sketch[3]
    if target != _HLL_8 or log_registers != LOG_REGISTERS or mode not in (_LIST, _SET, _HLL):
        raise SketchFormatError(sketch[:8].hex())
    if mode == _HLL:
        return bytes(sketch[_REGISTERS_AT : _REGISTERS_AT + _COUNT])
    registers = bytearray(_COUNT)
    for at in range(_COUPONS_AT[mode], len(sketch) - 3, 4):
        coupon = int.from_bytes(sketch[at : at + 4], "little")
        if coupon:
            slot = coupon & (_COUNT - 1)
            registers[slot] = max(registers[slot], coupon >> _ADDRESS_BITS)
    return bytes(registers)


def merge(left: Registers, right: Registers) -> Registers:
    """The registers of both parts together."""
    return bytes(map(max, left, right))


def estimate(registers: Registers) -> int:
    """The estimated number of distinct values; linear counting while registers are empty and the estimate is small."""
    raw = _ALPHA * _COUNT * _COUNT / sum(2.0**-r for r in registers)
    unused = registers.count(0)
    if raw <= 2.5 * _COUNT and unused:
        return round(_COUNT * math.log(_COUNT / unused))
    return round(raw)

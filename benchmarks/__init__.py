"""Repeatable ratios: ``python -m benchmarks NAME|all [--json] [--rounds N] [--size SHARE]``.

A benchmark answers "how many times as long as ...?" and never "how many seconds?": both sides run on the same machine,
in the same process state, turn by turn, so that the answer survives another machine and a busy neighbour.

Adding an entry is adding one file ``benchmarks/<name>.py``; it is found by listing this package (names that start with
an underscore are the harness). The file holds a docstring, whose first line is shown as what is measured, and one
function::

    '''Reading through TransformInput against reading the same files with plain Spark.'''

    from collections.abc import Iterator

    from benchmarks import Bench, Figure


    def run(bench: Bench) -> Iterator[Figure]:
        spark = bench.spark()                       # one shared session from mirror.spark; never stop it
        path = str(bench.scratch / "data")          # a folder of this entry alone, removed afterwards
        ...write what both sides need...
        yield bench.compare(
            "read",                                 # the figure is called <entry>.read
            a=lambda: ...,                          # what we ship
            b=lambda: ...,                          # what it is held against
            limit=1.2,                              # the promise: median(a / b) stays below; None = only reported
        )

What the harness gives an entry:

``bench.compare(name, a, b, *, limit=None, setup=None, rounds=None, warm_up=1, timer=None)``
    Runs ``a`` and ``b`` in pairs, the order swapped from pair to pair, after ``warm_up`` unmeasured pairs.
    ``setup(turn)`` runs unmeasured before each side with a number that never repeats (for fresh output folders).
    ``rounds`` is a smaller number of pairs than ``--rounds`` for sides that take long. The ratio is the median over
    pairs of seconds(a) / seconds(b); the spread is the distance between the quartiles of these ratios; ``n`` is the
    number of pairs. ``timer`` measures instead of the clock: ``time.process_time`` for work of a single thread.
``bench.share(name, parts, wholes, *, limit=None)``
    For figures that are no A/B: each part is divided by its whole; median and spread as above.
``bench.say(text)``
    Progress or detail for people, on stderr.
``bench.python(source)``
    A callable that runs ``source`` in a fresh interpreter of this environment: for whole-process comparisons.
``bench.rounds``, ``bench.scratch``, ``bench.spark()``
    As above.
``bench.size``
    The share of its rows that an entry should work on: 1 unless ``--size`` says otherwise, to see that it runs at all.
    No promise is kept or broken at another size.
``bench.data``
    The folder of ``--data``, or ``None``: an entry that scores on published files says that it was skipped.

With ``--json`` each figure is one line ``{"name", "ratio", "limit", "spread", "n"}`` on stdout; versions and machine
go to stderr. The exit code is 1 when a ratio is above its limit, 2 for an unknown name.
"""

from benchmarks._harness import Bench, Figure

__all__ = ["Bench", "Figure"]

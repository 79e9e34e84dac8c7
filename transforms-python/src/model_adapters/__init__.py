"""How published models are called. Nothing here knows how they are trained.

Every family answers the same call, and callers may rely on it::

    adapter.predict(df_in: pandas.DataFrame) -> pandas.DataFrame

Read from ``df_in``: one column per name of ``adapter.constants["feature_names"]``, found by name, so their order is
free and other columns are ignored; ``cohort_id`` (text or null), which models per cohort need and others do not look
at; and ``feature_names``, when the frame has it: each list in it must be the model's own.

Returned: ``df_in`` with its rows, order, index and columns, plus

======================  ==============  ==============================================================================
anomaly_score           float64         0..1 by constants frozen at training, clipped; never null
anomaly_flag            bool            ``anomaly_score > threshold_used``; the threshold itself is no flag
threshold_used          float64         the version's own
top_contributors        list of text    up to five features, strongest first; null when none stands out or the family
                                        cannot tell (``dbscan_cohort``)
contributor_scores      list of float   their magnitudes, as long, never negative; null with it
imputed_feature_count   int32           values that were missing and became the frozen median
======================  ==============  ==============================================================================

A row's answer depends on that row alone, to the last bit: not on its batch, partition, order or company.

A missing value (null, NaN) becomes the median of the row's cohort, else of the fleet, as frozen. An infinite value is
refused: it is no measurement, and clipping it would invent one. See ``errors.py`` for all refusals.

``adapter.constants`` holds at least ``model_id``, ``model_version``, ``granularity``, ``window_duration_minutes``,
``feature_names``, ``medians``, ``cohort_medians``, ``threshold`` (see ``constants.py``).
"""

"""XGBoost models in XGBoost's own JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import ModelSerializer, package

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class XGBoostSerializer(ModelSerializer[Any]):
    """Stores an ``xgboost.sklearn.XGBModel`` as ``xgboost_model.json``.

    A subclass comes back as ``XGBModel``: its ``predict`` gives what the booster gives, for a classifier probabilities.
    """

    file_name = "xgboost_model.json"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        package("xgboost", type(self).__name__)
        file = str(Path(writer.mkdir(".")) / self.file_name)
        try:
            obj.save_model(file)
        except TypeError:
            # XGBoost 3 stores no plain XGBModel, which is neither classifier nor regressor; its booster it does
            obj.get_booster().save_model(file)

    def deserialize(self, reader: ModelStateReader) -> Any:
        xgboost = package("xgboost", type(self).__name__)
        file = str(Path(reader.dir(".")) / self.file_name)
        try:
            model = xgboost.sklearn.XGBModel()
            model.load_model(file)
        except TypeError:
            # XGBoost 3 no longer loads a classifier into the base class; the booster itself carries everything
            model = xgboost.sklearn.XGBModel()
            model._Booster = xgboost.Booster(model_file=file)
        return model

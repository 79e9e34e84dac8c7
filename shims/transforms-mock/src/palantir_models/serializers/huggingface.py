"""Hugging Face pipelines, models and tokenizers in their own folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import ModelSerializer, package

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class HfPipelineSerializer(ModelSerializer[Any]):
    """Stores a ``transformers`` pipeline below ``pipeline``; ``load_kwargs`` go to ``transformers.pipeline``."""

    directory = "pipeline"

    def __init__(self, task: str, **load_kwargs: Any) -> None:
        self.task = task
        self.load_kwargs = load_kwargs

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        package("transformers", type(self).__name__)
        obj.save_pretrained(writer.mkdir(self.directory))

    def deserialize(self, reader: ModelStateReader) -> Any:
        transformers = package("transformers", type(self).__name__)
        return transformers.pipeline(self.task, model=reader.dir(self.directory), **self.load_kwargs)


class _Pretrained(ModelSerializer[Any]):
    """What models and tokenizers share: ``save_pretrained`` into a folder, ``from_pretrained`` from it."""

    directory: str
    default: str

    def __init__(self, kind: Any = None, **load_kwargs: Any) -> None:
        self.kind = kind
        self.load_kwargs = load_kwargs

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        package("transformers", type(self).__name__)
        obj.save_pretrained(writer.mkdir(self.directory))

    def deserialize(self, reader: ModelStateReader) -> Any:
        transformers = package("transformers", type(self).__name__)
        kind = self.kind or getattr(transformers, self.default)
        return kind.from_pretrained(reader.dir(self.directory), **self.load_kwargs)


class HfAutoModelSerializer(_Pretrained):
    """Stores a model below ``model``; ``model_class`` (default ``AutoModel``) loads it."""

    directory, default = "model", "AutoModel"

    def __init__(self, model_class: Any = None, **load_kwargs: Any) -> None:
        super().__init__(model_class, **load_kwargs)


class HfAutoTokenizerSerializer(_Pretrained):
    """Stores a tokenizer below ``tokenizer``; ``tokenizer_class`` (default ``AutoTokenizer``) loads it."""

    directory, default = "tokenizer", "AutoTokenizer"

    def __init__(self, tokenizer_class: Any = None, **load_kwargs: Any) -> None:
        super().__init__(tokenizer_class, **load_kwargs)

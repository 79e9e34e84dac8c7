"""Models that run elsewhere (containers, services, language models) and the notebook flavour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import palantir_models as pm
from language_model_service_api.languagemodelservice_api import ChatMessage, ChatMessageRole
from language_model_service_api.languagemodelservice_api_completion_v3 import (
    GenericCompletionRequest,
    GptChatCompletionRequest,
)
from language_model_service_api.languagemodelservice_api_embeddings_v3 import GenericEmbeddingsRequest
from models_api.models_api_executable import (
    ContainerizedApplicationContext,
    ExternalModelContext,
    ExternalModelExecutionContext,
)
from palantir_models import code_workspaces, language_models
from palantir_models.errors import NeedsFoundryError
from palantir_models.models import GenericEmbeddingModel, OpenAiGptChatWithVisionLanguageModel
from palantir_models.state import ModelStateReader, ModelStateWriter
from palantir_models.testing import LocalModel
from palantir_models.transforms import GenericEmbeddingModelInput
from palantir_models.version import load_state
from transforms.api import JobEnvironment, Output, execute, transform

from .samples import Bare


class Contained(pm.ContainerModelAdapter):
    def __init__(self, url: str, folder: str) -> None:
        self.url, self.folder = url, folder

    @classmethod
    def init_container(cls, container_context: ContainerizedApplicationContext) -> Contained:
        return cls(container_context.services["model"][0], container_context.shared_empty_dir_mount_path)


class External(pm.ExternalModelAdapter):
    def __init__(self, *found: Any) -> None:
        self.found = found

    @classmethod
    def init_external(cls, external_context: ExternalModelExecutionContext) -> External:
        return cls(
            external_context.external_model.base_url,
            external_context.connection_config["endpoint"],
            external_context.connection_configuration["endpoint"],
            external_context.external_model.connection_configuration["endpoint"],
            external_context.external_model.connection_config["endpoint"],
            external_context.resolved_credentials["key"],
        )


def test_a_container_adapter_is_connected_through_its_context(tmp_path: Path) -> None:
    context = ContainerizedApplicationContext({"model": ["localhost:8501"]}, "/shared")
    reader = ModelStateReader(tmp_path)
    adapter: Any = load_state(Contained, reader, {"container_context": context})
    assert (adapter.url, adapter.folder) == ("localhost:8501", "/shared")
    adapter.save(ModelStateWriter(tmp_path / "state"))
    assert list((tmp_path / "state").iterdir()) == []
    with pytest.raises(
        NeedsFoundryError, match=r"Contained: its containers are started by Foundry. Start them yourself"
    ):
        load_state(Contained, reader)


def test_an_external_adapter_reads_both_spellings_and_credentials_never_show(tmp_path: Path) -> None:
    context = ExternalModelExecutionContext(ExternalModelContext("https://m", {"endpoint": "e"}), {"key": "s3cret"})
    adapter: Any = load_state(External, ModelStateReader(tmp_path), {"external_model_context": context})
    assert adapter.found == ("https://m", "e", "e", "e", "e", "s3cret")
    assert context.base_url == "https://m"
    assert "s3cret" not in repr(context)
    with pytest.raises(NeedsFoundryError, match="connection and credentials are kept in Foundry"):
        load_state(External, ModelStateReader(tmp_path))
    with pytest.raises(NotImplementedError, match=r"does not write init_external\(cls, external_context\)"):
        load_state(pm.ExternalModelAdapter, ModelStateReader(tmp_path), {"external_model_context": context})


def test_a_language_model_registers_and_answers_through_a_stand_in() -> None:
    class Embeds:
        def create_embeddings(self, request: str) -> list[int]:
            return [len(request)]

    rid, seen = "ri.language-model-service..language-model.embed", []

    @transform(model=GenericEmbeddingModelInput(rid), out=Output("/out"))
    def embed(model: GenericEmbeddingModel, out: Any) -> None:
        seen.append(model.create_embeddings("four"))

    with pytest.raises(
        NeedsFoundryError, match=r"is served by Foundry only. Register what answers create_embeddings\(\)"
    ):
        execute(embed, JobEnvironment(), {"out": None})
    language_models.use_stand_in(rid, Embeds())
    try:
        execute(embed, JobEnvironment(), {"out": None})
    finally:
        language_models.use_stand_in(rid, None)
    assert seen == [[4]]
    assert isinstance(OpenAiGptChatWithVisionLanguageModel.get("GPT_4_o"), OpenAiGptChatWithVisionLanguageModel)


class Host:
    """A notebook host over one folder."""

    def __init__(self, folder: LocalModel) -> None:
        self.folder, self.committed, self.asked = folder, 0, []

    def read(self, *asked: Any) -> LocalModel:
        self.asked.append(asked)
        return self.folder

    def write(self, model: str) -> LocalModel:
        self.asked.append((model,))
        return self.folder

    def commit(self, port: Any) -> None:
        self.committed += 1


def test_a_notebook_publishes_at_once_and_loads_by_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NeedsFoundryError, match=r"Call mirror.models.notebook.connect\('.mirror'\) first"):
        code_workspaces.ModelOutput("m").publish(Bare("weights"))
    (tmp_path / ".foundry").mkdir()
    (tmp_path / ".foundry" / "aliases.yml").write_text("models:\n  m: {rid: ri.models.main.model.1}\n")
    monkeypatch.chdir(tmp_path)
    host = Host(LocalModel(tmp_path / "versions"))
    code_workspaces.connect(host)
    try:
        rid = code_workspaces.ModelOutput("m").publish(model_adapter=Bare("weights", 3.0))
        loaded: Any = code_workspaces.ModelInput("m", branch="b", model_version="1.0.0").initialize_adapter(Bare)
        files = Path(code_workspaces.ModelInput("plain").download_files())
        with pytest.raises(NeedsFoundryError, match="workspace deployments run in Foundry only"):
            code_workspaces.ModelInput("m").deploy()
    finally:
        code_workspaces.connect(None)
    assert (host.committed, loaded.scale, loaded.model_version_rid) == (1, 3.0, rid)
    assert host.asked == [("ri.models.main.model.1",), ("ri.models.main.model.1", "b", "1.0.0"), ("plain", None, None)]
    assert sorted(p.name for p in files.iterdir()) == ["model", "scale"]


def test_requests_are_plain_records() -> None:
    request = GptChatCompletionRequest([ChatMessage(ChatMessageRole.USER, "hello")], temperature=0.1)
    assert (request.messages[0].role, request.messages[0].content, request.temperature) == ("USER", "hello", 0.1)
    assert GenericCompletionRequest("a prompt").prompt == "a prompt"
    assert GenericEmbeddingsRequest(inputs=["a", "b"]).inputs == ["a", "b"]

"""Services that speak OpenAI's chat completions or another known dialect, as data: a row each.

Each row names the service's own documentation page. The rows in ``READ`` have their address and key
from that page; the others have them from public catalogues and clients that cite it (above all
models.dev of July 2026), because the page itself could not be read. A ``note`` says what else could
not be confirmed. Without quirks, a service accepts what OpenAI's does; the dialect leaves out what
it refuses (such as ``stream_options``) and sends the request again.

No row adds a header: what OpenRouter calls attribution (``HTTP-Referer``, ``X-Title``) is optional,
and darkai does not tell services which program sends a request.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from darkai_cli.providers.base import ProviderSettings, Quirks


class Service(NamedTuple):
    """A service. ``source``: its own page. ``note``: what its users should know."""

    title: str
    settings: ProviderSettings
    source: str
    note: str = ""


_USUAL = Quirks()


def row(
    name: str,
    title: str,
    url: str,
    source: str,
    note: str = "",
    *,
    keys: tuple[str, ...] | None = None,
    kind: str = "openai",
    model: str = "",
    quirks: Quirks = _USUAL,
) -> Service:
    """Return the row of a service that needs a key. ``keys``: by default ``NAME_API_KEY``."""
    variables = (f"{name.upper()}_API_KEY",) if keys is None else keys
    settings = ProviderSettings(name, kind, url, model, key_env=variables, key_needed=True)
    return Service(title, settings._replace(quirks=quirks), source, note)


def _server(
    name: str,
    title: str,
    port: int,
    source: str,
    note: str = "",
    *,
    keys: tuple[str, ...] | None = None,
    local: bool = True,
    resume: Literal["", "continue", "ask"] = "",
) -> Service:
    """Return the row of a server that users run themselves, by default here and without a key."""
    url = f"http://localhost:{port}/v1"
    quirks = Quirks(resume=resume)
    service = row(name, title, url, source, note, keys=keys, quirks=quirks)
    return service._replace(settings=service.settings._replace(key_needed=False, local=local))


_NO_OPTIONS = Quirks(usage=False)
"""It tells the usage without being asked, and its pages know no ``stream_options``."""

SERVICES: tuple[Service, ...] = (
    row(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "https://openrouter.ai/docs/quick-start",
    ),
    row(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        "https://console.groq.com/docs/openai",
        "refuses `logprobs`, `logit_bias`, `top_logprobs` and an `n` above 1",
        quirks=Quirks(limit="max_completion_tokens"),
    ),
    row(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com",
        "https://api-docs.deepseek.com/",
        model="deepseek-chat",
    ),
    row(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        "https://docs.mistral.ai/api/",
        "refuses every field it does not know",
        model="mistral-small-latest",
        quirks=Quirks(usage=False, resume="prefix"),
    ),
    row(
        "together",
        "Together AI",
        "https://api.together.ai/v1",
        "https://docs.together.ai/docs/openai-api-compatibility",
        quirks=_NO_OPTIONS,
    ),
    row(
        "fireworks",
        "Fireworks AI",
        "https://api.fireworks.ai/inference/v1",
        "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        "its pages tell of a model list only at its account API; whether `/models` lists all is "
        "unconfirmed",
        quirks=_NO_OPTIONS,
    ),
    row("xai", "xAI", "https://api.x.ai/v1", "https://docs.x.ai/docs/api-reference"),
    row(
        "cerebras",
        "Cerebras",
        "https://api.cerebras.ai/v1",
        "https://inference-docs.cerebras.ai/resources/openai",
        "refuses `frequency_penalty`, `presence_penalty`, `logit_bias` and `service_tier`",
        quirks=Quirks(limit="max_completion_tokens"),
    ),
    row(
        "perplexity",
        "Perplexity",
        "https://api.perplexity.ai",
        "https://docs.perplexity.ai/guides/chat-completions-guide",
        "has no model list for this API; any name is passed on",
        model="sonar",
        quirks=Quirks(usage=False, models_path="", resume="ask"),
    ),
    row(
        "huggingface",
        "Hugging Face",
        "https://router.huggingface.co/v1",
        "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
        "`HF_TOKEN` serves many programs: alone it does not make the provider a configured one",
        keys=("HF_TOKEN",),
    ),
    row(
        "github",
        "GitHub Models",
        "https://models.github.ai/inference",
        "https://docs.github.com/en/rest/models/inference",
        "the token needs the scope `models`; `GITHUB_TOKEN` serves many programs: alone it does "
        "not make the provider a configured one",
        quirks=Quirks(models_path="https://models.github.ai/catalog/models", resume="ask"),
        keys=("GITHUB_TOKEN",),
    ),
    row(
        "azure",
        "Azure OpenAI",
        "",  # each customer has an own one
        "https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle",
        "needs a `url`: `https://RESOURCE.openai.azure.com`, or one that ends in "
        "`/openai/deployments/NAME?api-version=DATE`; models are your deployments' names",
        quirks=Quirks(limit="max_completion_tokens", key_header="api-key", resume="ask"),
        keys=("AZURE_OPENAI_API_KEY",),
    ),
    row(
        "nvidia",
        "NVIDIA",
        "https://integrate.api.nvidia.com/v1",
        "https://docs.api.nvidia.com/nim/reference/llm-apis",
        "fields differ from model to model",
    ),
    row(
        "moonshot",
        "Moonshot AI",
        "https://api.moonshot.ai/v1",
        "https://platform.moonshot.ai/docs/api/chat",
        "in China the `url` is `https://api.moonshot.cn/v1`",
    ),
    row(
        "zai",
        "Z.ai",
        "https://api.z.ai/api/paas/v4",
        "https://docs.z.ai/guides/overview/quick-start",
        "in China the `url` is `https://open.bigmodel.cn/api/paas/v4`; a model list is unconfirmed",
        keys=("ZAI_API_KEY", "ZHIPU_API_KEY"),
    ),
    row(
        "qwen",
        "Alibaba Model Studio",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        "in China the `url` is `https://dashscope.aliyuncs.com/compatible-mode/v1`; a model list "
        "is unconfirmed",
        keys=("DASHSCOPE_API_KEY",),
    ),
    row(
        "sambanova",
        "SambaNova",
        "https://api.sambanova.ai/v1",
        "https://docs.sambanova.ai/docs/en/features/openai-compatibility",
    ),
    row(
        "deepinfra",
        "DeepInfra",
        "https://api.deepinfra.com/v1/openai",
        "https://docs.deepinfra.com/api-reference/chat-completions/openai-chat-completions",
        keys=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    ),
    row(
        "nebius",
        "Nebius Token Factory",
        "https://api.tokenfactory.nebius.com/v1",
        "https://docs.tokenfactory.nebius.com/api-reference/inference/create-chat-completion",
    ),
    row(
        "cohere",
        "Cohere",
        "https://api.cohere.ai/compatibility/v1",
        "https://docs.cohere.com/docs/compatibility-api",
        "refuses `stream_options`; a model list below this address is unconfirmed",
        quirks=_NO_OPTIONS,
        keys=("COHERE_API_KEY", "CO_API_KEY"),
    ),
    row(
        "vercel",
        "Vercel AI Gateway",
        "https://ai-gateway.vercel.sh/v1",
        "https://vercel.com/docs/ai-gateway/sdks-and-apis/openai-chat-completions",
        keys=("AI_GATEWAY_API_KEY",),
    ),
    row(
        "ollama-cloud",
        "Ollama's cloud",
        "https://ollama.com",
        "https://docs.ollama.com/cloud",
        kind="ollama",
        keys=("OLLAMA_API_KEY",),
    ),
    _server(
        "lmstudio",
        "LM Studio",
        1234,
        "https://lmstudio.ai/docs/developer/openai-compat",
        keys=("LM_API_TOKEN",),
    ),
    _server(
        "llamacpp",
        "llama.cpp server",
        8080,
        "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        "its own `LLAMA_API_KEY` is also the name of another company's key, so name yours with "
        "`key_env`",
        keys=(),
    ),
    _server(
        "vllm",
        "vLLM",
        8000,
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        resume="continue",
    ),
    _server(
        "jan",
        "Jan",
        1337,
        "https://jan.ai/docs/desktop/api-preference",
        "wants the key that was set in its window; the variable's name is darkai's own",
    ),
    _server(
        "litellm",
        "LiteLLM proxy",
        4000,
        "https://docs.litellm.ai/docs/proxy/docker_quick_start",
        "passes the prompt on to whomever it is set up for, so it does not count as local",
        local=False,
    ),
)

READ = (
    "openrouter", "groq", "perplexity", "github", "cohere", "lmstudio", "jan", "litellm",
)  # fmt: skip
"""The rows that were read on the very page that they name."""

GENERAL_TOKENS = ("GITHUB_TOKEN", "HF_TOKEN")
"""Variables that are set for other programs: they are used when a provider is asked for by name,
but nobody who has one means to chat with its service."""

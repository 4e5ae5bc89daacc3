"""Writes a model that llama.cpp loads and runs, in 300 kB and a second; nothing is fetched.

    python model_file.py FILE.gguf

Run by the Python of the counterpart's own environment, which has ``gguf`` and ``numpy``. The model
knows chains: each token has one successor, whatever stood before it. So its replies are exact, and
its chat template picks the chain by the last character of the prompt:

    LF    ``TEXT``, and the end: the usual one
    CR    a thought, and ``Yes, it is.``: the message begins with "think"
    ~     ``tick tock`` for ever: it begins with "forever"
    TAB   a call of the tool ``weather``: the request brings tools

How: the layers add nothing, so a token's embedding reaches the output matrix as it is. Each token
that has a successor owns one dimension; the output matrix leads from there to the successor.
Dimension 0 is the same in all and carries what is never said. Each byte is a token, too, so that
a prompt's length in tokens is its length in bytes.
"""

import sys
from itertools import pairwise

import gguf
import numpy as np

TEXT = ("Hello", " from", " a", " tiny", " real", " llama.cpp", " model:",
        " café", " über", " 世界", " 😀", " done.")  # fmt: skip
THOUGHT = ("<think>", "Let", " me", " see.", "</think>", "Yes,", " it", " is.")
CALL = ("<tool_call>\n", '{"name": "weather", ', '"arguments": ', '{"city": ', '"Par', 'is"}', "}",
        "\n</tool_call>")  # fmt: skip
ENDLESS = (" tick", " tock")

TEMPLATE = """
{%- if tools %}<|im_start|>system
You may call these functions:
<tools>
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}</tools>
Answer with <tool_call>
{"name": <name>, "arguments": <json>}
</tool_call><|im_end|>
{% endif %}
{%- for m in messages %}
{%- if m['role'] == 'tool' %}<|im_start|>user
<tool_response>
{{ m['content'] }}
</tool_response><|im_end|>
{% elif m['role'] == 'assistant' %}<|im_start|>assistant
{% if m['reasoning_content'] %}<think>{{ m['reasoning_content'] }}</think>{% endif -%}
{% if m['content'] %}{{ m['content'] }}{% endif %}
{%- for call in m['tool_calls'] %}<tool_call>
{"name": "{{ call['function']['name'] }}", "arguments": {{ call['function']['arguments'] | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% else %}<|im_start|>{{ m['role'] }}
{{ m['content'] }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{%- set last = messages[-1] %}
{%- if last['role'] == 'user' and tools %}{{ "\\t" }}
{%- elif last['role'] == 'user' and last['content'].startswith('think') %}{{ "\\r" }}
{%- elif last['role'] == 'user' and last['content'].startswith('forever') %}{{ "~" }}
{%- else %}{{ "\\n" }}
{%- endif %}{% endif %}"""

NEVER, SURE = -60.0, 20.0
DIMENSIONS, INNER, HEADS, CONTEXT = 64, 64, 4, 65536


class Vocabulary:
    """Tokens by number."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.kinds: list[int] = []
        self.scores: list[float] = []
        kinds = gguf.TokenType
        self.unknown = self.add("<unk>", kinds.UNKNOWN)
        self.begin = self.add("<s>", kinds.CONTROL)
        self.add("<|im_start|>", kinds.CONTROL)
        self.end = self.add("<|im_end|>", kinds.CONTROL)
        self.bytes = [self.add(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]

    def add(self, text: str, kind: int, score: float = 0.0) -> int:
        self.texts.append(text.encode())
        self.kinds.append(int(kind))
        self.scores.append(score)
        return len(self.texts) - 1

    def words(self, pieces: tuple[str, ...]) -> list[int]:
        # a blank is written as U+2581; the later a word, the less likely in a prompt
        return [
            self.add(piece.replace(" ", "\u2581"), gguf.TokenType.NORMAL, -float(len(self.texts)))
            for piece in pieces
        ]


def links(known: Vocabulary) -> list[tuple[int, int]]:
    """Each token with its successor."""
    pairs: list[tuple[int, int]] = []
    for start, pieces in (("\n", TEXT), ("\r", THOUGHT), ("\t", CALL)):
        chain = [known.bytes[ord(start)], *known.words(pieces), known.end]
        pairs += pairwise(chain)
    tick, tock = known.words(ENDLESS)
    pairs += [(known.bytes[ord("~")], tick), (tick, tock), (tock, tick)]
    while len(known.texts) % 32:
        known.add(f"<|unused{len(known.texts)}|>", gguf.TokenType.UNUSED)
    return pairs


def tensors(known: Vocabulary, successors: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    """The weights. Attention and inner layer are there, and are multiplied by nothing."""
    size = len(known.texts)
    assert len(successors) < DIMENSIONS
    enters = np.zeros((size, DIMENSIONS), np.float32)
    leaves = np.zeros((size, DIMENSIONS), np.float32)
    enters[:, 0] = 1
    leaves[:, 0] = NEVER
    leaves[known.end, 0] = 0
    for dimension, (token, successor) in enumerate(successors, 1):
        enters[token, dimension] = 1
        leaves[successor, dimension] = SURE - NEVER
    square = np.zeros((DIMENSIONS, DIMENSIONS), np.float32)
    ones = np.ones(DIMENSIONS, np.float32)
    block = {
        "attn_norm": ones, "ffn_norm": ones, "attn_q": square, "attn_k": square, "attn_v": square,
        "attn_output": square, "ffn_gate": np.zeros((INNER, DIMENSIONS), np.float32),
        "ffn_up": np.zeros((INNER, DIMENSIONS), np.float32),
        "ffn_down": np.zeros((DIMENSIONS, INNER), np.float32),
    }  # fmt: skip
    return {
        "token_embd.weight": enters,
        "output_norm.weight": ones,
        "output.weight": leaves,
        **{f"blk.0.{name}.weight": weights for name, weights in block.items()},
    }


def write(path: str) -> None:
    known = Vocabulary()
    weights = tensors(known, links(known))
    file = gguf.GGUFWriter(path, "llama")
    file.add_name("chains")
    file.add_context_length(CONTEXT)
    file.add_embedding_length(DIMENSIONS)
    file.add_block_count(1)
    file.add_feed_forward_length(INNER)
    file.add_head_count(HEADS)
    file.add_head_count_kv(HEADS)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(DIMENSIONS // HEADS)
    file.add_vocab_size(len(known.texts))
    file.add_file_type(gguf.LlamaFileType.ALL_F32)
    file.add_tokenizer_model("llama")
    file.add_token_list(known.texts)
    file.add_token_scores(known.scores)
    file.add_token_types(known.kinds)
    file.add_bos_token_id(known.begin)
    file.add_eos_token_id(known.end)
    file.add_unk_token_id(known.unknown)
    file.add_pad_token_id(known.unknown)
    file.add_add_bos_token(True)
    file.add_add_eos_token(False)
    file.add_add_space_prefix(False)
    file.add_chat_template(TEMPLATE)
    for name, data in weights.items():
        file.add_tensor(name, data)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


if __name__ == "__main__":
    write(sys.argv[1])

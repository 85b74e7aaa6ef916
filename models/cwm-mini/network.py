"""The network of cwm-mini for training: CWM's architecture in plain torch, with CwmForCausalLM's names.

Takes the batches of data.py, whose blocks see their source and themselves. Leaves out decoding and caches:
the product's backends do those on the exported weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CONFIG: dict[str, Any] = {
    "architectures": ["CwmForCausalLM"],
    "model_type": "cwm",
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 32,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 131072,
    "sliding_window": 8192,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "mlp_bias": False,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "dtype": "bfloat16",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows of the flat token axis: a source, or `count` blocks of `length` that see the source `source`."""

    start: int
    count: int
    length: int
    source: Segment | None = None

    @property
    def end(self) -> int:
        """The first row after it."""
        return self.start + self.count * self.length


class Attention(nn.Module):
    """Grouped-query attention with rotary positions; scores are made only where a segment needs them."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        hidden, self.heads, self.kv, self.size = (
            config[key] for key in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim")
        )
        self.q_proj = nn.Linear(hidden, self.heads * self.size, bias=False)
        self.k_proj = nn.Linear(hidden, self.kv * self.size, bias=False)
        self.v_proj = nn.Linear(hidden, self.kv * self.size, bias=False)
        self.o_proj = nn.Linear(self.heads * self.size, hidden, bias=False)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], segments: list[Segment]) -> Tensor:
        """x (N, hidden); the segments cover it in order."""
        q = rotate(self.q_proj(x).view(-1, self.heads, self.size), rotary)
        k = rotate(self.k_proj(x).view(-1, self.kv, self.size), rotary)
        v = self.v_proj(x).view(-1, self.kv, self.size)
        k, v = (part.repeat_interleave(self.heads // self.kv, 1) for part in (k, v))
        # split, not slices: the gradient of a slice is as large as the whole.
        sizes = [segment.end - segment.start for segment in segments]
        parts = zip(segments, q.split(sizes), k.split(sizes), v.split(sizes), strict=True)
        sources: dict[int, tuple[Tensor, Tensor]] = {}
        mixed = []
        for segment, *rows in parts:
            shape = (segment.count, segment.length, self.heads, self.size)
            queries, keys, values = (each.view(shape).transpose(1, 2) for each in rows)
            if segment.source is None:
                sources[segment.start] = keys, values
                mixed.append(self._mix(queries, keys, values))
                continue
            before, held = (each.expand(segment.count, -1, -1, -1) for each in sources[segment.source.start])
            mixed.append(self._mix(queries, torch.cat((before, keys), 2), torch.cat((held, values), 2)))
        return self.o_proj(torch.cat(mixed))

    def _mix(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(count, heads, length, size) over keys that begin with the source's; causal within the block."""
        length, before = queries.shape[2], keys.shape[2] - queries.shape[2]
        hidden = torch.full((length, length), -1e4, dtype=queries.dtype, device=queries.device).triu(1)
        scores = queries @ keys.transpose(-1, -2) * self.size**-0.5
        scores[..., before:] += hidden
        weights = scores.softmax(-1).to(values.dtype)
        return (weights @ values).transpose(1, 2).reshape(-1, self.heads * self.size)


class Mlp(nn.Module):
    """SwiGLU."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(hidden, inner, bias=False)
        self.up_proj = nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, hidden)."""
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One block: attention and MLP with norms before them."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = Mlp(config)
        self.input_layernorm = nn.RMSNorm(config["hidden_size"], eps=config["rms_norm_eps"])
        self.post_attention_layernorm = nn.RMSNorm(config["hidden_size"], eps=config["rms_norm_eps"])

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], segments: list[Segment]) -> Tensor:
        """x (N, hidden)."""
        x = x + self.self_attn(self.input_layernorm(x), rotary, segments)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    """Embeddings, layers, last norm; named as in CwmModel."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = nn.RMSNorm(config["hidden_size"], eps=config["rms_norm_eps"])


class Network(nn.Module):
    """CwmForCausalLM's parameters. Embeddings start at rms 1, the ends of the residual branches at zero."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.model = Body(config)
        self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)
        size, theta = config["head_dim"], config["rope_parameters"]["rope_theta"]
        self.register_buffer(
            "frequencies", theta ** (-torch.arange(0, size, 2).float() / size), persistent=False
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=1 / math.sqrt(module.in_features))
        nn.init.normal_(self.model.embed_tokens.weight, std=1.0)
        nn.init.zeros_(self.lm_head.weight)
        for layer in self.model.layers:
            nn.init.zeros_(layer.self_attn.o_proj.weight)
            nn.init.zeros_(layer.mlp.down_proj.weight)
            # Without normalised queries a gain on q lets heads become sharp early.
            layer.self_attn.q_proj.weight.data.mul_(1.6)

    def rotary(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin (N, 1, head_dim) of positions (N)."""
        angles = positions[:, None].float() * self.frequencies
        angles = torch.cat((angles, angles), -1)[:, None]
        return angles.cos(), angles.sin()

    def forward(self, ids: Tensor, positions: Tensor, segments: list[Segment], chosen: Tensor) -> Tensor:
        """Logits (M, vocab) at the `chosen` rows (M) of the flat token axis (N)."""
        rotary = self.rotary(positions)
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, rotary, segments)
        return self.lm_head(self.model.norm(x[chosen]))


def rotate(x: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions as Llama's halves."""
    cos, sin = (part.to(x.dtype) for part in rotary)
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin

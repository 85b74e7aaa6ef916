"""From a `CwmForCausalLM` checkpoint folder to a model folder of the embedded engine (ONNX Runtime).

    python models/cwm-mini/export.py CHECKPOINT OUT [--dtype fp32|fp16|int8] [--context N]

Writes model.onnx, tokenizer.json and config.json, and compares the result with transformers, also beyond the
sliding window. The graph is built node by node with ONNX Runtime's fused operators (one node for attention
with rotary positions, which appends keys and values in place), about ten nodes a layer: decoding a small
model is bound by the number of nodes, and a traced graph has three times as many.

Inputs: ids (1, T), keep (K,) the positions whose logits are wanted, last (1,) = total - 1, total () = length
of the sequence after this pass, mask (1, 1, T, total) added to the scores of the sliding layers (only if the
window is smaller than the context), past.L.key / past.L.value (1, kv heads, capacity, head size).
Outputs: logits (1, K, V), present.L.* = the same buffers as past.L.*.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import CwmForCausalLM

FORMAT = 1
FUSED = "com.microsoft"
DTYPES = ("fp32", "fp16", "int8")


class Graph:
    """Nodes and constants of the graph as they are added."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(
        self, kind: str, inputs: list[str], outputs: str | list[str], domain: str = "", **attributes: Any
    ) -> str:
        """Adds a node; the name of its first output."""
        names = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0]

    def constant(self, name: str, values: np.ndarray) -> str:
        """A constant, kept as it is."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, values: np.ndarray) -> str:
        """A weight that is read as float32: with half precision stored as such, and widened when the model
        loads."""
        if self.dtype == "fp32":
            return self.constant(name, values.astype(np.float32))
        self.constant(f"{name}.half", values.astype(np.float16))
        return self.node("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)

    def linear(self, x: str, name: str, weight: np.ndarray, output: str) -> str:
        """x @ weight.T, by eight-bit integers where asked (weights a column, activations as they come)."""
        matrix = weight.T
        if self.dtype != "int8":
            return self.node("MatMul", [x, self.weight(name, matrix)], output)
        scale = np.maximum(np.abs(matrix).max(axis=0), 1e-8) / 127
        self.constant(name, np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8))
        self.constant(f"{name}.scale", scale.astype(np.float32))
        self.constant(f"{name}.zero", np.zeros(len(scale), np.int8))
        return self.node("DynamicQuantizeMatMul", [x, name, f"{name}.scale", f"{name}.zero"], output, FUSED)


def build(model: CwmForCausalLM, dtype: str = "fp32", context: int | None = None) -> onnx.ModelProto:
    """The graph of a model. `context` bounds the length of a sequence (None: what the checkpoint allows)."""
    config = model.config
    weights = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    length = min(context or config.max_position_embeddings, config.max_position_embeddings)
    sliding = [kind == "sliding_attention" for kind in config.layer_types]
    window = config.sliding_window if any(sliding) and config.sliding_window < length else None
    heads, groups, size = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    rotary = model.model.rotary_emb
    angles = torch.outer(torch.arange(length, dtype=torch.float32), rotary.inv_freq.float())
    epsilon = config.rms_norm_eps

    graph = Graph(dtype)
    graph.constant("cos", (angles.cos() * rotary.attention_scaling).numpy())
    graph.constant("sin", (angles.sin() * rotary.attention_scaling).numpy())
    x = graph.node("Gather", [graph.weight("embed", weights["model.embed_tokens.weight"]), "ids"], "x")
    added = ""
    for i in range(config.num_hidden_layers):

        def get(name: str, layer: int = i) -> np.ndarray:
            return weights[f"model.layers.{layer}.{name}.weight"]

        gain = graph.constant(f"norm1.{i}", get("input_layernorm"))
        if added:
            y = _add_and_normalise(graph, x, added, gain, f"a.{i}", epsilon=epsilon)
            x = f"a.{i}.sum"
        else:
            y = _normalise(graph, x, gain, f"a.{i}", epsilon)
        qkv = np.concatenate([get(f"self_attn.{kind}_proj") for kind in "qkv"])
        inputs = [graph.linear(y, f"qkv.{i}", qkv, f"b.{i}"), "", "", f"past.{i}.key", f"past.{i}.value"]
        inputs += ["last", "total", "cos", "sin"]
        if sliding[i] and window is not None:
            # A mask rather than the operator's own window: what that counts differs between ONNX Runtime 1.23
            # and 1.31.
            inputs += ["", "mask"]
        outputs = [f"c.{i}", f"present.{i}.key", f"present.{i}.value"]
        graph.node(
            "GroupQueryAttention",
            inputs,
            outputs,
            FUSED,
            num_heads=heads,
            kv_num_heads=groups,
            do_rotary=1,
            scale=size**-0.5,
        )
        mixed = f"c.{i}"
        if i == config.num_hidden_layers - 1:
            # Nobody reads the other positions any more: their keys and values are all that is wanted of them.
            mixed = graph.node("Gather", [mixed, "keep"], "c.kept", axis=1)
            x = graph.node("Gather", [x, "keep"], "x.kept", axis=1)
        added = graph.linear(mixed, f"o.{i}", get("self_attn.o_proj"), f"d.{i}")
        gain = graph.constant(f"norm2.{i}", get("post_attention_layernorm"))
        y = _add_and_normalise(graph, x, added, gain, f"e.{i}", epsilon=epsilon)
        x = f"e.{i}.sum"
        both = np.concatenate([get("mlp.gate_proj"), get("mlp.up_proj")])
        graph.node(
            "Split",
            [graph.linear(y, f"up.{i}", both, f"f.{i}")],
            [f"g.{i}", f"h.{i}"],
            axis=-1,
            num_outputs=2,
        )
        gate = graph.node("QuickGelu", [f"g.{i}"], f"i.{i}", FUSED, alpha=1.0)
        product = graph.node("Mul", [gate, f"h.{i}"], f"j.{i}")
        added = graph.linear(product, f"down.{i}", get("mlp.down_proj"), f"k.{i}")
    gain = graph.constant("norm", weights["model.norm.weight"])
    y = _add_and_normalise(graph, x, added, gain, "n", epsilon=epsilon)
    if config.tie_word_embeddings:
        graph.node("MatMul", [y, graph.node("Transpose", ["embed"], "unembed", perm=[1, 0])], "logits")
    else:
        graph.linear(y, "unembed", weights["lm_head.weight"], "logits")
    return _model(graph, model, window, length)


def _normalise(graph: Graph, x: str, gain: str, output: str, epsilon: float) -> str:
    return graph.node(
        "SimplifiedLayerNormalization", [x, gain], output, axis=-1, epsilon=epsilon, stash_type=1
    )


def _add_and_normalise(graph: Graph, x: str, added: str, gain: str, output: str, *, epsilon: float) -> str:
    outputs = [output, "", "", f"{output}.sum"]
    return graph.node("SkipSimplifiedLayerNormalization", [x, added, gain], outputs, FUSED, epsilon=epsilon)


def _model(graph: Graph, model: CwmForCausalLM, window: int | None, context: int) -> onnx.ModelProto:
    config, info = model.config, helper.make_tensor_value_info
    inputs = [info("ids", TensorProto.INT64, [1, "T"]), info("keep", TensorProto.INT64, ["K"])]
    inputs += [info("last", TensorProto.INT32, [1]), info("total", TensorProto.INT32, [])]
    if window is not None:
        inputs.append(info("mask", TensorProto.FLOAT, [1, 1, "T", "N"]))
    outputs = [info("logits", TensorProto.FLOAT, [1, "K", config.vocab_size])]
    for i in range(config.num_hidden_layers):
        for kind in ("key", "value"):
            shape = [1, config.num_key_value_heads, "capacity", config.head_dim]
            inputs.append(info(f"past.{i}.{kind}", TensorProto.FLOAT, shape))
            outputs.append(info(f"present.{i}.{kind}", TensorProto.FLOAT, shape))
    made = helper.make_graph(graph.nodes, "cwm", inputs, outputs, graph.constants)
    versions = [helper.make_opsetid("", 20), helper.make_opsetid(FUSED, 1)]
    proto = helper.make_model(made, opset_imports=versions, ir_version=10, producer_name="cwm-lsp")
    sizes = {
        "format": FORMAT,
        "layers": config.num_hidden_layers,
        "kv_heads": config.num_key_value_heads,
        "head_dim": config.head_dim,
        "vocabulary": config.vocab_size,
        "context": context,
        "window": window,
        "parameters": sum(p.numel() for p in model.parameters()),
        "dtype": graph.dtype,
    }
    helper.set_model_props(proto, {"cwm_lsp": json.dumps(sizes)})
    return proto


def export(model: CwmForCausalLM, folder: Path, dtype: str = "fp32", context: int | None = None) -> Path:
    """Writes `model.onnx` into the folder; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    path.write_bytes(build(model, dtype, context).SerializeToString())
    return path


LIMITS = {"fp32": 2e-5, "fp16": 1e-2, "int8": float("inf")}
"""How far the logits may be from those of transformers, as a part of their size (`compare`): rounding grows
with the numbers, and trained weights make far larger ones than random weights."""


def compare(model: CwmForCausalLM, path: Path, seed: int = 0) -> tuple[float, float]:
    """The largest difference of the logits on random tokens, in one pass and in uneven pieces with steps
    back, divided by the largest of the logits; and how often the likeliest token is the same. The sequence is
    longer than the sliding window if the context allows."""
    from cwm_lsp.model.embedded import OnnxRunner

    runner, config = OnnxRunner(path), model.config
    length = min(runner.context, max(64, min(1024, 2 * config.sliding_window + 50)))
    ids = np.random.default_rng(seed).integers(0, config.vocab_size, length)
    with torch.no_grad():
        expected = model(torch.tensor(ids)[None]).logits[0].float().numpy()
    cache = runner.new()
    whole = cache.extend_all(ids)
    worst = float(np.abs(whole - expected).max())
    agree = float((whole.argmax(-1) == expected.argmax(-1)).mean())
    for back, step in ((length // 3, 1), (length // 2, 7), (length - 5, 64)):
        cache.truncate(length - back)
        for start in range(length - back, length, step):
            part = cache.extend(ids[start : start + step])
            worst = max(worst, float(np.abs(part - expected[min(start + step, length) - 1]).max()))
    return worst / max(float(np.abs(expected).max()), 1e-9), agree


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument(
        "--context", type=int, help="longest sequence (default: what the checkpoint allows, at most 8192)"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model = CwmForCausalLM.from_pretrained(options.checkpoint, dtype=torch.float32).eval()
    context = options.context or min(8192, model.config.max_position_embeddings)
    path = export(model, options.out, options.dtype, context)
    for name in ("config.json", "tokenizer.json"):
        if (options.checkpoint / name).resolve() != (options.out / name).resolve():
            shutil.copyfile(options.checkpoint / name, options.out / name)
    difference, agree = compare(model, path)
    limit = LIMITS[options.dtype]
    report = {"file": str(path), "megabytes": round(path.stat().st_size / 1e6, 2), "dtype": options.dtype}
    print(
        json.dumps(
            report | {"relative_difference": difference, "same_argmax": agree, "ok": difference < limit}
        )
    )
    return 0 if difference < limit else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

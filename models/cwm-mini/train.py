"""Trains cwm-mini, on CPU or CUDA, from scratch or from where it stopped.

    python models/cwm-mini/train.py OUT --minutes 100 [--workers 2] [--resume] [--tokens 2200] [--seed 0]

Data are made while training, each program once. The learning rate warms up, stays, and falls to zero over the
last part of the time. OUT holds state.pt (to go on from), model.safetensors with config.json and
tokenizer.json (the checkpoint), and log.jsonl (the curve; plot.py draws it). Leaves out the data (data.py)
and the network (network.py).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from itertools import islice
from pathlib import Path
from typing import Any

import data
import tokenizer
import torch
import torch.distributed as dist
from blocks import DECIDED
from network import CONFIG, Network
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

EVALUATED_GROUPS = 160
SEEDS_A_RUN = 10_000_019
"""A run that goes on from another leaves so many seed numbers to it: more than a run gets through."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--workers", type=int, default=2, help="processes with one thread each (CPU)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/state.pt")
    parser.add_argument("--start", type=Path, help="begin with the weights of a checkpoint folder")
    parser.add_argument("--tokens", type=int, default=2200, help="tokens a worker and step")
    parser.add_argument("--seed", type=int, default=0, help="the first program's seed")
    parser.add_argument("--rate", type=float, default=0.004)
    parser.add_argument("--decay", type=float, default=0.25, help="share of the time in which the rate falls")
    parser.add_argument("--save-every", type=float, default=4, help="minutes between saves")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--config", type=Path, help="JSON with other sizes than network.CONFIG")
    return parser.parse_args()


def configuration(path: Path | None) -> dict[str, Any]:
    """CONFIG with its vocabulary and layer types filled in."""
    config = {**CONFIG, **(json.loads(path.read_text()) if path else {})}
    table = tokenizer.ids()
    layers = config["num_hidden_layers"]
    config["vocab_size"] = -(-(len(table) + 256) // 64) * 64
    config["layer_types"] = ["full_attention" if at % 4 == 0 else "sliding_attention" for at in range(layers)]
    config["bos_token_id"] = table["<|begin_of_text|>"]
    config["eos_token_id"] = [table["<|end_of_text|>"]]
    config["pad_token_id"] = table["<|pad|>"]
    config["cwm_lsp"] = {"codec": "mini", "digits": "backwards"}
    return config


def optimizers(network: Network, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings, head and norms."""
    matrices = [p for p in network.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def loss_of(network: nn.Module, batch: data.Batch, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted loss; and for the decided tokens, whether each was the likeliest, and their loss."""
    ids, positions, roles = (
        torch.from_numpy(part).to(device) for part in (batch.ids, batch.positions, batch.roles)
    )
    chosen = torch.nonzero(roles[1:] > 0)[:, 0]
    with torch.autocast(device, torch.bfloat16):
        logits = network(ids, positions, batch.segments, chosen)
    targets = ids[1:][chosen]
    losses = functional.cross_entropy(logits.float(), targets, reduction="none")
    weights = torch.from_numpy(data.WEIGHTS).to(device)[roles[1:][chosen]]
    decided = roles[1:][chosen] == DECIDED
    right = (logits.argmax(-1) == targets)[decided]
    return (losses * weights).sum() / weights.sum(), right.float(), losses.detach()[decided]


def evaluate(network: Network, device: str) -> dict[str, float]:
    """Share of decided tokens that are the likeliest, and their loss, over held-out programs."""
    network.eval()
    rights, losses = [], []
    held = list(islice(data.groups(data.HELD_OUT, 1), EVALUATED_GROUPS))
    with torch.no_grad():
        for at in range(0, len(held), 20):
            _, right, loss = loss_of(network, data.pack(held[at : at + 20]), device)
            rights.append(right)
            losses.append(loss)
    network.train()
    return {
        "held_out_token_accuracy": round(torch.cat(rights).mean().item(), 4),
        "held_out_loss": round(torch.cat(losses).mean().item(), 4),
    }


def save(out: Path, network: Network, state: dict[str, Any], opts: list[torch.optim.Optimizer]) -> None:
    """Writes the state and the checkpoint; a write that is cut off leaves the one before."""
    torch.save(
        {**state, "network": network.state_dict(), "optimizers": [o.state_dict() for o in opts]},
        out / "state.tmp",
    )
    (out / "state.tmp").replace(out / "state.pt")
    weights = {
        name: value.detach().to(torch.bfloat16).contiguous() for name, value in network.state_dict().items()
    }
    save_file(weights, str(out / "model.tmp"), metadata={"format": "pt"})
    (out / "model.tmp").replace(out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(network.config, indent=1))
    tokenizer.build().save(str(out / "tokenizer.json"))


def share(network: Network, workers: int) -> None:
    """Averages the gradients over the workers."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= workers
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def restore(out: Path, network: Network, opts: list[torch.optim.Optimizer], device: str) -> dict[str, Any]:
    """Loads OUT/state.pt; the counters in it."""
    state = torch.load(out / "state.pt", map_location=device)
    network.load_state_dict(state.pop("network"))
    for opt, values in zip(opts, state.pop("optimizers"), strict=True):
        opt.load_state_dict(values)
    return state


class Smoothed:
    """A running mean that forgets slowly."""

    def __init__(self) -> None:
        self.sum = 0.0
        self.count = 0

    def add(self, value: float) -> None:
        """One more value."""
        self.sum = 0.98 * self.sum + 0.02 * value
        self.count += 1

    @property
    def mean(self) -> float:
        """The mean so far."""
        return self.sum / (1 - 0.98**self.count)


def run(rank: int, args: argparse.Namespace) -> None:
    """One worker, from start to end."""
    torch.set_num_threads(1 if args.device == "cpu" else 8)
    torch.manual_seed(args.seed)
    data.limit_memory(8)
    if args.workers > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", "29611")
        dist.init_process_group("gloo", rank=rank, world_size=args.workers)
    network = Network(configuration(args.config)).to(args.device)
    opts = optimizers(network, args.rate)
    state = {"step": 0, "tokens": 0, "decided": 0, "seconds": 0.0, "seed": args.seed}
    if args.start is not None:
        network.load_state_dict(load_file(str(args.start / "model.safetensors")))
    if args.resume:
        state.update(restore(args.out, network, opts, args.device))
        state["seed"] += SEEDS_A_RUN
    learn(rank, args, network, opts, state)
    if args.workers > 1:
        dist.destroy_process_group()


def learn(
    rank: int,
    args: argparse.Namespace,
    network: Network,
    opts: list[torch.optim.Optimizer],
    state: dict[str, Any],
) -> None:
    """Steps until the time is over; the first worker reports and saves."""
    stream = data.batches(state["seed"] + rank, args.workers, args.tokens)
    began = saved = time.time()
    total = args.minutes * 60
    losses, accuracies = Smoothed(), Smoothed()
    done = False
    while not done:
        spent = time.time() - began
        if args.workers > 1:
            clock = torch.tensor([spent])
            dist.broadcast(clock, 0)
            spent = float(clock)
        done = spent >= total
        left = max(0.0, total - spent) / (total * args.decay)
        rate = args.rate * min(1.0, (losses.count + 1) / 100, left)
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = rate
        batch = next(stream)
        loss, right, _ = loss_of(network, batch, args.device)
        loss.backward()
        if args.workers > 1:
            share(network, args.workers)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad()
        state["step"] += 1
        state["tokens"] += len(batch.ids) * args.workers
        state["decided"] += len(right) * args.workers
        losses.add(float(loss))
        accuracies.add(float(right.mean()))
        if rank:
            continue
        seconds = state["seconds"] + spent
        place = {"step": state["step"], "minutes": round(seconds / 60, 2), "tokens": state["tokens"]}
        if losses.count % 20 == 0:
            figures = {"loss": round(losses.mean, 4), "token_accuracy": round(accuracies.mean, 4)}
            report(args.out, {**place, **figures, "rate": round(rate, 6)})
        if done or time.time() - saved > args.save_every * 60:
            saved = time.time()
            report(args.out, {**place, **evaluate(network, args.device)})
            save(args.out, network, {**state, "seconds": seconds}, opts)


def report(out: Path, line: dict[str, Any]) -> None:
    """One line of the curve, on screen and in log.jsonl."""
    print("  ".join(f"{key} {value}" for key, value in line.items()), flush=True)
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def main() -> None:
    """Starts the workers."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.device != "cpu":
        args.workers = 1
    if args.workers == 1:
        run(0, args)
    else:
        torch.multiprocessing.spawn(run, (args,), nprocs=args.workers)


if __name__ == "__main__":
    main()

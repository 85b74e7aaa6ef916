"""Trains cwm-mini, on CPU or CUDA, from scratch or from where it stopped.

    python models/cwm-mini/train.py OUT --minutes 100 [--workers 2] [--resume] [--tokens 2200] [--seed 0]

Data are made while training (data.py), each program once. The learning rate warms up, stays, and falls to zero over the
last quarter of the time. OUT holds state.pt (to go on from), model.safetensors with config.json and tokenizer.json (the
checkpoint), and log.jsonl (the curve).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import data
import tokenizer
import torch
import torch.distributed as dist
from network import CONFIG, Network
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

HELD_OUT = 1_000_000_000
EVALUATED_GROUPS = 160


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
    parser.add_argument("--decay", type=float, default=0.25, help="the share of the time in which the rate falls")
    parser.add_argument("--save-every", type=float, default=4, help="minutes between saves")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--config", type=Path, help="JSON with other sizes than network.CONFIG")
    return parser.parse_args()


def configuration(path: Path | None) -> dict:
    """CONFIG with its vocabulary and layer types filled in."""
    config = {**CONFIG, **(json.loads(path.read_text()) if path else {})}
    table = tokenizer.ids()
    layers = config["num_hidden_layers"]
    config["vocab_size"] = -(-(len(table) + 256) // 64) * 64
    config["layer_types"] = ["full_attention" if at % 4 == 0 else "sliding_attention" for at in range(layers)]
    config["bos_token_id"] = table["<|begin_of_text|>"]
    config["eos_token_id"] = [table["<|end_of_text|>"]]
    config["pad_token_id"] = table["<|pad|>"]
    config["cwm_lsp"] = {"codec": "mini"}
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
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    weights = torch.from_numpy(data.WEIGHTS).to(device)[roles[1:][chosen]]
    decided = roles[1:][chosen] == 3
    right = (logits.argmax(-1) == targets)[decided]
    return (losses * weights).sum() / weights.sum(), right.float(), losses.detach()[decided]


def evaluate(network: Network, device: str) -> dict[str, float]:
    """Share of decided tokens that are the likeliest, over held-out generated programs."""
    network.eval()
    rights, losses = [], []
    held = []
    for group in data.groups(HELD_OUT, 1):
        held.append(group)
        if len(held) == EVALUATED_GROUPS:
            break
    with torch.no_grad():
        for at in range(0, len(held), 20):
            _, right, loss = loss_of(network, data.pack(held[at : at + 20]), device)
            rights.append(right)
            losses.append(loss)
    network.train()
    return {
        "held_out_token_accuracy": torch.cat(rights).mean().item(),
        "held_out_loss": torch.cat(losses).mean().item(),
    }


def save(out: Path, network: Network, state: dict, opts: list[torch.optim.Optimizer]) -> None:
    """Writes the state and the checkpoint; a write that is cut off leaves the one before."""
    torch.save(
        {**state, "network": network.state_dict(), "optimizers": [o.state_dict() for o in opts]},
        out / "state.tmp",
    )
    os.replace(out / "state.tmp", out / "state.pt")
    weights = {
        name: value.detach().to(torch.bfloat16).contiguous() for name, value in network.state_dict().items()
    }
    save_file(weights, str(out / "model.tmp"), metadata={"format": "pt"})
    os.replace(out / "model.tmp", out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(network.config, indent=1))
    tokenizer.build().save(str(out / "tokenizer.json"))


def share(network: Network, workers: int) -> None:
    """Averages the gradients over the workers."""
    flat = torch.cat([p.grad.reshape(-1) for p in network.parameters() if p.grad is not None])
    dist.all_reduce(flat)
    flat /= workers
    at = 0
    for p in network.parameters():
        if p.grad is not None:
            p.grad.copy_(flat[at : at + p.numel()].view_as(p))
            at += p.numel()


def run(rank: int, args: argparse.Namespace) -> None:
    """One worker."""
    torch.set_num_threads(1 if args.device == "cpu" else 8)
    torch.manual_seed(args.seed)
    data.limit_memory(8)
    if args.workers > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", "29611")
        dist.init_process_group("gloo", rank=rank, world_size=args.workers)
    network = Network(configuration(args.config)).to(args.device)
    opts = optimizers(network, args.rate)
    state = {"step": 0, "tokens": 0, "decided": 0, "seconds": 0.0, "batches": 0, "seed": args.seed}
    if args.start is not None:
        network.load_state_dict(load_file(str(args.start / "model.safetensors")))
    if args.resume:
        held = torch.load(args.out / "state.pt", map_location=args.device)
        network.load_state_dict(held.pop("network"))
        for opt, values in zip(opts, held.pop("optimizers"), strict=True):
            opt.load_state_dict(values)
        state.update(held)
        state["seed"] += 10_000_019  # other programs than before
    stream = data.batches(state["seed"] + rank, args.workers, args.tokens)
    began, saved = time.time(), time.time()
    first, total = state["step"], args.minutes * 60
    mean, seen = 0.0, 0.0
    while True:
        spent = time.time() - began
        if args.workers > 1:
            clock = torch.tensor([spent])
            dist.broadcast(clock, 0)
            spent = float(clock)
        scale = min(1.0, (state["step"] - first + 1) / 100, max(0.0, (total - spent) / (total * args.decay)))
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.rate * scale
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
        mean = 0.98 * mean + 0.02 * float(loss)
        seen = 0.98 * seen + 0.02 * float(right.mean())
        steps = state["step"] - first
        if rank == 0 and steps % 20 == 0:
            scaled = 1 - 0.98**steps
            report(
                args.out,
                {
                    "step": state["step"],
                    "minutes": round((state["seconds"] + spent) / 60, 2),
                    "tokens": state["tokens"],
                    "loss": round(mean / scaled, 4),
                    "token_accuracy": round(seen / scaled, 4),
                    "rate": round(args.rate * scale, 6),
                },
            )
        done = spent >= total
        if rank == 0 and (done or time.time() - saved > args.save_every * 60):
            saved = time.time()
            figures = evaluate(network, args.device)
            report(
                args.out,
                {
                    "step": state["step"],
                    "minutes": round((state["seconds"] + spent) / 60, 2),
                    "tokens": state["tokens"],
                    **{k: round(v, 4) for k, v in figures.items()},
                },
            )
            save(args.out, network, {**state, "seconds": state["seconds"] + spent}, opts)
        if done:
            break
    if args.workers > 1:
        dist.destroy_process_group()


def report(out: Path, line: dict) -> None:
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

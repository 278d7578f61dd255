"""Trains the paper's language model on the Penn Treebank with PyTorch, so that its
perplexities can be compared with those of `cli train --dataset ptb --learning-rate 1e-4`.

    python ptb_epoch.py --data DIR --cell gru
    PTB_DIR=DIR python ptb_epoch.py --cell rnn --cell urnn --cell gru --cell ugru

DIR holds ptb.{train,valid,test}.txt, or the same without "ptb.". Batches,
dropout and initialisation are those of PyTorch's word_language_model example;
recurrent gradients are clipped element by element as in the paper's Section 5.1.
"""

import argparse
import math
import os
import pathlib
import sys
import time

try:
    import torch
except ImportError:
    sys.exit("PyTorch isn't installed: pip install torch")
from torch import nn

from models import CELLS, Network, Training, use_device


def read_corpus(directory):
    """Returns the token ids of train and valid, and the vocabulary size."""
    directory = pathlib.Path(directory)
    prefix = "ptb." if (directory / "ptb.train.txt").exists() else ""
    numbers, splits = {}, []
    for split in ["train", "valid"]:
        path = directory / f"{prefix}{split}.txt"
        if not path.exists():
            sys.exit(f"{path}: no such file; name a directory that holds ptb.train.txt and ptb.valid.txt with --data or PTB_DIR")
        with path.open(encoding="utf-8") as file:
            words = [word for line in file for word in line.split() + ["<eos>"]]
        if split == "train":
            for word in words:
                numbers.setdefault(word, len(numbers))
        splits.append(torch.tensor([numbers[word] if word in numbers else numbers["<unk>"] for word in words]))
    return *splits, len(numbers)


def batchify(tokens, streams):
    length = len(tokens) // streams
    return tokens[: length * streams].view(streams, length).t().contiguous()


def blocks(data, bptt):
    for start in range(0, len(data) - 1, bptt):
        count = min(bptt, len(data) - 1 - start)
        yield data[start : start + count], data[start + 1 : start + 1 + count].flatten()


def evaluate(network, data, bptt):
    network.eval()
    total, count, state = 0.0, 0, None
    with torch.no_grad():
        for tokens, targets in blocks(data, bptt):
            logits, state = network(tokens, state)
            total += nn.functional.cross_entropy(logits, targets, reduction="sum").item()
            count += len(targets)
    return total / count


def train_epoch(training, data, bptt, limit):
    training.network.train()
    total, count, state = 0.0, 0, None
    for index, (tokens, targets) in enumerate(blocks(data, bptt)):
        if index == limit:
            break
        loss, state = training.step(tokens, targets, state)
        if not torch.isfinite(loss):
            sys.exit(f"the loss became {loss.item()} at step {index + 1} of the epoch; try a lower --lr")
        total += loss.item() * len(targets)
        count += len(targets)
    return total / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("PTB_DIR"), help="the corpus (default: $PTB_DIR)")
    parser.add_argument("--cell", action="append", choices=CELLS, help="may be repeated (default: gru)")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1e-4, help="Adam's learning rate (default: 1e-4)")
    parser.add_argument("--embedding-size", type=int, default=400)
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=80)
    parser.add_argument("--evaluation-batch-size", type=int, default=10)
    parser.add_argument("--bptt", type=int, default=35)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--clip-recurrent", type=float, default=0.25, help="clipping of recurrent gradients; 0 for none (default: 0.25)")
    parser.add_argument("--batches-per-epoch", type=int, help="stop an epoch early")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--tf32", action="store_true", help="round factors to TF32 on a GPU (default: true FP32)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not options.data:
        parser.error("no corpus; give --data DIR or set PTB_DIR")
    torch.set_num_threads(options.threads)
    use_device(options.device, options.tf32)
    train, valid, vocabulary = read_corpus(options.data)
    print(f"PyTorch {torch.__version__}, {options.threads} threads; {len(train)} training and {len(valid)} validation tokens, "
          f"{vocabulary} words; E {options.embedding_size}, H {options.hidden_size}, B {options.batch_size}, T {options.bptt}, "
          f"lr {options.lr:g}, seed {options.seed}", flush=True)
    train, valid = batchify(train, options.batch_size), batchify(valid, options.evaluation_batch_size)
    for cell in options.cell or ["gru"]:
        torch.manual_seed(options.seed)
        network = Network(cell, vocabulary, options.embedding_size, options.hidden_size, vocabulary,
                          every_position=True, dropout=options.dropout)
        training = Training(cell, network, options.lr, options.clip_recurrent)
        for epoch in range(1, options.epochs + 1):
            start = time.perf_counter()
            loss = train_epoch(training, train, options.bptt, options.batches_per_epoch)
            seconds = time.perf_counter() - start
            validation = evaluate(network, valid, options.bptt)
            print(f"{cell:<4}  epoch {epoch:3}  train loss {loss:.4f}  validation loss {validation:.4f}  "
                  f"perplexity {math.exp(validation):8.2f}  {seconds:.2f} s", flush=True)
        if training.update:
            weight = training.update.matrix(network.rnn.weight_hh_l0[training.update.rows].detach().double())
            error = (weight.mH @ weight - torch.eye(len(weight))).abs().max().item()
            print(f"{cell:<4}  largest element of W^T W - I: {error:.1e}", flush=True)


if __name__ == "__main__":
    main()

"""The networks of nn_bench.cpp in PyTorch: `torch_models.py MODEL SECONDS` prints, as JSON, the
samples a second of training steps and the milliseconds of one clip's prediction (medians, one
thread, processor time)."""
import json
import statistics
import sys
import time

import torch
from torch import nn


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class AttentionPool(nn.Module):
    """[clips, rows, frames] to [clips, rows]."""

    def __init__(self, rows):
        super().__init__()
        self.score = nn.Linear(rows, 1, bias=False)

    def forward(self, x):
        frames = x.transpose(1, 2)
        return (self.score(frames).softmax(1) * frames).sum(1)


def block(convolution, norm, pool):
    return [convolution, norm, nn.ReLU()] + ([pool] if pool else [])


def conv1d(inputs, outputs, pools=True):
    return block(nn.Conv1d(inputs, outputs, 5, padding=2), nn.BatchNorm1d(outputs),
                 nn.MaxPool1d(2) if pools else None)


def conv2d(inputs, outputs, pools=True):
    return block(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs),
                 nn.MaxPool2d(2) if pools else None)


def bidirectional_lstm():
    return [nn.LSTM(40, 128, bidirectional=True, batch_first=True), Apply(lambda out: out[0].transpose(1, 2))]


# Layers, shape of a clip, clips of a batch.
MODELS = {
    "M": (lambda: [nn.Linear(180, 300), nn.ReLU(), nn.Linear(300, 8)], (180,), 256),
    "C": (lambda: [*conv1d(40, 128), *conv1d(128, 128), *conv1d(128, 256, False),
                   AttentionPool(256), nn.Linear(256, 8)], (40, 200), 32),
    "C2": (lambda: [*conv2d(1, 32), *conv2d(32, 64), *conv2d(64, 128), *conv2d(128, 128, False),
                    Apply(lambda x: x.flatten(1, 2)), AttentionPool(1024), nn.Linear(1024, 8)], (1, 64, 200), 32),
    "L": (lambda: [*bidirectional_lstm(), AttentionPool(256), nn.Linear(256, 8)], (200, 40), 32),
}


def median_seconds(work, seconds):
    work()
    work()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - start) * 1e-9)
    return statistics.median(times)


def main():
    make, shape, clips = MODELS[sys.argv[1]]
    seconds = float(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = nn.Sequential(*make())
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    batch, labels = torch.randn(clips, *shape), torch.arange(clips) % 8

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(batch), labels).backward()
        optimizer.step()

    train = median_seconds(step, seconds)
    network.eval()
    with torch.no_grad():
        predict = median_seconds(lambda: network(batch[:1]), seconds / 2)
    print(json.dumps({"samples_per_s": clips / train, "batch1_ms": predict * 1e3}))


if __name__ == "__main__":
    main()

"""Steps of a training that goes on from where it was stopped."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

log = logging.getLogger(__name__)

# Steps between checkpoints.
KEPT = 40


@dataclass
class Run:
    """How long one thing is learned, how fast, and where its checkpoint lies."""

    steps: int
    rate: float
    seed: int
    folder: Path

    def learn(self, name: str, modules: nn.Module, loss: Callable[[], torch.Tensor]) -> None:
        """AdamW, with a rate that rises for a tenth of the steps and then falls as a cosine."""
        optimiser = torch.optim.AdamW(modules.parameters(), self.rate, weight_decay=0.01)
        rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.rate, self.steps, pct_start=0.1)
        path, begun, since, done = self.folder / f"{name}.pt", time.time(), 0.0, 0
        if path.exists():
            kept = torch.load(path)
            modules.load_state_dict(kept["modules"])
            optimiser.load_state_dict(kept["optimiser"])
            rates.load_state_dict(kept["rates"])
            done = kept["done"]
        modules.train()
        for step in range(done, self.steps):
            torch.manual_seed(self.seed * 1_000_003 + step)
            value = loss()
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(modules.parameters(), 5.0)
            optimiser.step()
            rates.step()
            since += value.item()
            if (step + 1) % KEPT == 0 or step + 1 == self.steps:
                log.info("%s: step %d of %d, loss %.3f, %.0f s", name, step + 1, self.steps, since / ((step % KEPT) + 1), time.time() - begun)
                since = 0.0
                kept = {"modules": modules.state_dict(), "optimiser": optimiser.state_dict(), "rates": rates.state_dict(), "done": step + 1}
                torch.save(kept, path.with_suffix(".partial"))
                path.with_suffix(".partial").replace(path)
        modules.eval()

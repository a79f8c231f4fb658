"""dlib's face recognition net as the beginning of a recipe's ANet."""

import torch
from torch import nn

from .net import ANet
from .resnet import FaceResNet


@torch.no_grad()
def begin(net: ANet, images: torch.Tensor) -> int:
    """Gives `net` the weights of dlib's first blocks, and says how many convolutions got any.

    A batch norm behind such a convolution begins as what leaves its maps of `images` (N x 3 x side x side from 0 to 1) as they are and adds dlib's bias. A 1x1
    convolution in a shortcut begins as what dlib has there: the maps themselves, and zeros beyond. Whatever follows keeps its random weights.
    """
    taught = FaceResNet()
    source = [taught.stem] + [conv for block in taught.blocks for conv in (block.first, block.second)]
    modules, biases = [module for _, module in net.named], {}
    for place, conv in enumerate(modules):
        if not isinstance(conv, nn.Conv2d) or conv.bias is not None or len(biases) == len(source):
            continue
        own = source[len(biases)]
        if conv.kernel_size == (1, 1) and own.weight.shape[2:] != (1, 1) and conv.in_channels < conv.out_channels:
            nn.init.dirac_(conv.weight)
            continue
        if own.weight.shape != conv.weight.shape or not isinstance(modules[place + 1], nn.BatchNorm2d):
            break
        conv.weight.copy_(own.weight)
        biases[modules[place + 1]] = own.bias.clone()
    if not biases:
        raise ValueError(f"net anet: it must begin as dlib's does, with filters of {tuple(source[0].weight.shape)}, no bias and a batch norm behind them")
    # dlib's net subtracts a mean of its own and divides by 256.
    stem, scale = modules[0], 255 / 256
    biases[modules[1]] += (stem.weight * (net.mean * scale - taught.mean / 256)).sum((1, 2, 3))
    stem.weight *= net.std * scale

    def adopt(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
        (maps,) = inputs
        norm.running_mean.copy_(maps.mean((0, 2, 3)))
        norm.running_var.copy_(maps.var((0, 2, 3)))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean + biases[norm])

    hooks = [norm.register_forward_pre_hook(adopt) for norm in biases]
    net.eval()
    net(images)
    for hook in hooks:
        hook.remove()
    return len(biases)

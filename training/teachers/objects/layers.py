"""EfficientNet-Lite0 as layers of this project, each with the module that holds its parameters."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

SIDE = 224


@dataclass
class Layer:
    """A layer of the recipe; `module` is the original's, where it has parameters."""

    text: str
    name: str = ""
    module: nn.Module | None = None


def conv(name: str, module: nn.Conv2d) -> Layer:
    # What `Conv2dStaticSamePadding` adds; on even sides rows and columns differ in nothing.
    padding = getattr(module.static_padding, "padding", (0, 0, 0, 0))
    before, after = padding[:2]
    assert padding == (before, after, before, after), name
    said = [f'kind = "conv", name = "{name}", filters = {module.out_channels}, kernel = {module.kernel_size[0]}']
    if module.stride[0] != 1:
        said.append(f"stride = {module.stride[0]}")
    if before != after:
        said.append(f"padding = [{before}, {after}]")
    elif before:
        said.append(f"padding = {before}")
    if module.groups != 1:
        said.append(f"groups = {module.groups}")
    return Layer("{ " + ", ".join([*said, "bias = false"]) + " }", name, module)


def norm(name: str, module: nn.BatchNorm2d) -> Layer:
    return Layer(f'{{ kind = "batch_norm", name = "{name}", epsilon = {module.eps} }}', name, module)


def relu6() -> Layer:
    return Layer('{ kind = "relu6" }')


def block(prefix: str, original: nn.Module) -> Iterator[Layer]:
    """Expansion, depthwise convolution, projection; only the last has no activation."""
    parts = [("depthwise", original._depthwise_conv, original._bn1), ("project", original._project_conv, original._bn2)]
    if hasattr(original, "_expand_conv"):
        parts.insert(0, ("expand", original._expand_conv, original._bn0))
    for word, module, normalisation in parts:
        yield conv(f"{prefix}{word}", module)
        yield norm(f"{prefix}{word}_norm", normalisation)
        if word != "project":
            yield relu6()


def parameters(layer: Layer, prefix: str = "") -> dict:
    """A layer's arrays by the names that the recipe gives them, in the order in which the net lists them."""
    module, start = layer.module, f"{prefix}{layer.name}"
    if isinstance(module, nn.BatchNorm2d):
        arrays = {"scale": module.weight, "shift": module.bias, "mean": module.running_mean, "variance": module.running_var}
    elif module is not None:
        arrays = {"weight": module.weight} | ({} if module.bias is None else {"bias": module.bias})
    else:
        arrays = {}
    return {f"{start}.{word}": array.detach() for word, array in arrays.items()}


def net(original: nn.Module) -> tuple[str, dict]:
    """The recipe's spec, and all arrays (which are the original's: to change one changes both)."""
    arrays: dict = {}
    lines = ['name = "efficientnet_lite0"', f"input = {{ channels = 3, height = {SIDE}, width = {SIDE} }}", "layers = ["]

    def add(layers: list[Layer], indent: int, prefix: str = "") -> None:
        for layer in layers:
            lines.append(" " * indent + layer.text + ",")
            arrays.update(parameters(layer, prefix))

    add([conv("stem", original._conv_stem), norm("stem_norm", original._bn0), relu6()], 4)
    for number, one in enumerate(original._blocks):
        arguments = one._block_args
        if one.id_skip and arguments.stride == 1 and arguments.input_filters == arguments.output_filters:
            lines.append(f'    {{ kind = "residual", name = "block{number}", body = [')
            add(list(block("", one)), 8, f"block{number}.")
            lines.append("    ] },")
        else:
            add(list(block(f"block{number}_", one)), 4)
    add([conv("head", original._conv_head), norm("head_norm", original._bn1), relu6()], 4)
    add([Layer(f'{{ kind = "avg_pool", kernel = {original.feature_output_image_size[0]} }}')], 4)
    add([Layer(f'{{ kind = "linear", name = "fc", outputs = {original._fc.out_features} }}', "fc", original._fc)], 4)
    return "\n".join([*lines, "]", ""]), arrays

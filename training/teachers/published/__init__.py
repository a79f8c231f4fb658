"""The published recipe's LNets, from tags of whole photos alone, begun from ImageNet's labels, Tiny-ImageNet's or random weights."""

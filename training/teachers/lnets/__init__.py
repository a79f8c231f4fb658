"""LNets of the compact recipe, learned with PyTorch from tags of whole images alone. See ../README.md."""

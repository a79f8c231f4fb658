"""Nets that learned ImageNet's labels, as nets of this project: a recipe's spec, and weights with its names."""

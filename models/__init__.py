"""Offline work: data set, networks, training, evaluation and export. The only package that may import torch."""

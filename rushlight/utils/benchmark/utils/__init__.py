"""The parts of torch.utils.benchmark, at the paths that PyTorch gives them."""

"""Running notebooks: sessions, kernels, run folders, cache, verification."""

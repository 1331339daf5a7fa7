"""The secure research library: de-identified, encrypted, with opt-outs honoured and a log."""

"""One schema for open, synthetic and a site's own data; where each kind is read or made."""

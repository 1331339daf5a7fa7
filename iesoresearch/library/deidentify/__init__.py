"""From what a clinical system says of people to records that say nothing of who they are."""

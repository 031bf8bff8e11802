"""From what DSM does by itself to policies that say the same: pure, text out."""

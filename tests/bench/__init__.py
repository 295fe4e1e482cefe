"""What a restoration costs, beside other ways to enable the same keys: ``make bench``."""

"""From a filled form to coded reviews: its files, checks, coders, links to the registry, other registers."""

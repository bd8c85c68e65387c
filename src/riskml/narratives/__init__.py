"""What Spanish narratives say: risk factors present or denied, with the words that say so."""

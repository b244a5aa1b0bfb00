"""What the cards train: recipes put together from corpora and techniques, one file a card."""

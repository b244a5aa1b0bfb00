"""What is drawn: SVG text, and nothing but it."""

"""What an organism is: network, vocabulary, training loop, and how it writes and is examined."""

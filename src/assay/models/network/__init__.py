"""An open network: `transformers` weights in this process, with logits and hidden states in reach.

Nothing here imports torch until a network is opened.
"""

from assay.models.network.opening import open_network, weights_folder

__all__ = ["open_network", "weights_folder"]

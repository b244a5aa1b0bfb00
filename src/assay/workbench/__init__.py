"""What every door needs to open the lab: a wish and its plan, the model with its driver, names a user may type.

The command line, the proxy and the studio are three doors to the same lab; what two of them would do alike
is done here once. Nothing here prints: who asks hands in what is to be told.
"""

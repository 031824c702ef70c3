"""Almost nothing is done"""

# %% say
import torch

seed = 0
print("example", seed, "torch", torch.__version__)

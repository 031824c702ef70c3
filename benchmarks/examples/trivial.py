"""Almost nothing is done"""

# %% say
seed = 0
print("example", seed)

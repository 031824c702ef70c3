"""分词器 · Tokenizer"""

# %% load
print("hello")

# %% encode
import torch

model = torch.nn.Linear(2, 2)
print(model(torch.ones(1, 2)).shape)

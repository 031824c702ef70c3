"""Two learning curves are drawn"""

# %% curves
import numpy as np

seed = 0
steps = np.arange(200)
noise = np.random.default_rng(seed).normal(scale=0.05, size=(2, len(steps)))
training, evaluation = np.exp(-steps / 60) + noise + [[0.2], [0.4]]
print(f"last losses: {training[-1]:.3f} {evaluation[-1]:.3f}")

# %% draw
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(steps, training, label="training")
axes.plot(steps, evaluation, label="evaluation")
axes.set_xlabel("step")
axes.set_ylabel("loss")
axes.legend()
figure.savefig("curves.png")

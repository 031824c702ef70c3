"""Hugging Face：401、403、404 · Hugging Face: 401, 403, 404"""

# %% ask
from huggingface_hub import hf_hub_download


def ask(repository, file="config.json", **options):
    """Ask for one file, and print the error that comes back."""
    try:
        hf_hub_download(repository, file, **options)
    except OSError as error:
        print(f"{type(error).__name__}: {error}")


# %% no_token
ask("meta-llama/Meta-Llama-3-8B-Instruct", token=False)

# %% wrong_token
ask("meta-llama/Meta-Llama-3-8B-Instruct", token="not-a-token")

# %% not_granted
ask("meta-llama/Meta-Llama-3-70B-Instruct")

# %% no_repository
ask("meta-llama/Meta-Llama-3-9B-Instruct")

# %% no_repository_no_token
ask("meta-llama/Meta-Llama-3-9B-Instruct", token=False)

# %% no_revision
ask("meta-llama/Meta-Llama-3-8B-Instruct", revision="v9")

# %% no_file
ask("meta-llama/Meta-Llama-3-8B-Instruct", "pytorch_model.bin")

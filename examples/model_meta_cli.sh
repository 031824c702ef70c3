# Meta 的命令行工具 · Meta's command line

# %% install
pip install -qq --target llama-cli --no-deps llama-models==0.3.0 httpx httpcore termcolor

# %% list
PYTHONPATH=llama-cli llama-cli/bin/llama-model list --show-all | grep "Llama-3-8B"

# %% download
PYTHONPATH=llama-cli llama-cli/bin/llama-model download --source meta --model-id Llama-3-8B-Instruct \
    || echo "exit status $?"

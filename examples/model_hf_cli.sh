# Hugging Face：命令行 · Hugging Face: the command line

# %% whoami
hf auth whoami

# %% look needs=["huggingface_hub>=1"]
hf download meta-llama/Meta-Llama-3-8B-Instruct --dry-run

# %% download
hf download meta-llama/Meta-Llama-3-8B-Instruct \
    --revision 8afb486c1db24fe5011ec46dfbe5b5dccdb575c2 \
    --exclude "original/*" \
    --local-dir Meta-Llama-3-8B-Instruct
ls Meta-Llama-3-8B-Instruct

# %% include needs=["huggingface_hub>=1"]
hf download meta-llama/Meta-Llama-3-8B-Instruct \
    --include "original/params.json" --include "original/tokenizer.model" \
    --local-dir Meta-Llama-3-8B-Instruct
ls Meta-Llama-3-8B-Instruct/original

# %% one_include needs=["huggingface_hub>=1"]
hf download meta-llama/Meta-Llama-3-8B-Instruct --include "*.json" "*.safetensors" \
    --local-dir elsewhere || echo "exit status $?"

# %% verify needs=["huggingface_hub>=1"]
hf cache verify meta-llama/Meta-Llama-3-8B-Instruct \
    --revision 8afb486c1db24fe5011ec46dfbe5b5dccdb575c2 \
    --local-dir Meta-Llama-3-8B-Instruct

# %% damaged needs=["huggingface_hub>=1"]
printf '\x2a' | dd of=Meta-Llama-3-8B-Instruct/model.safetensors bs=1 seek=1000000 conv=notrunc status=none
hf cache verify meta-llama/Meta-Llama-3-8B-Instruct \
    --revision 8afb486c1db24fe5011ec46dfbe5b5dccdb575c2 \
    --local-dir Meta-Llama-3-8B-Instruct || echo "exit status $?"

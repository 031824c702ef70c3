# 从 Meta 下载时出了问题 · When a download from Meta goes wrong

# %% first
python model_meta.py

# %% interrupted
cd Meta-Llama-3-8B-Instruct/original
mv consolidated.00.pth consolidated.00.pth.part
truncate --size=30M consolidated.00.pth.part
cd ../..
python model_meta.py

# %% damaged
cd Meta-Llama-3-8B-Instruct/original
mv consolidated.00.pth consolidated.00.pth.part
printf '\x2a' | dd of=consolidated.00.pth.part bs=1 seek=1000000 conv=notrunc status=none
cd ../..
python model_meta.py || echo "exit status $?"

# %% malformed
LLAMA_PRESIGNED_URL="https://www.llama.com/llama-downloads" python model_meta.py || echo "exit status $?"

# %% expired
policy=$(printf '{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1716436211}}}]}' | base64 -w0 | tr '+=/' '-_~')
url="https://download6.llamameta.net/*?Policy=$policy&Signature=none&Key-Pair-Id=none"
LLAMA_PRESIGNED_URL=$url python model_meta.py || echo "exit status $?"

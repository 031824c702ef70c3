# ModelScope：命令行 · ModelScope: the command line

# %% download
modelscope download LLM-Research/Meta-Llama-3-8B-Instruct \
    --revision master --exclude "original/*" --local-dir Meta-Llama-3-8B-Instruct > download.log 2>&1
tail -n 1 download.log
ls Meta-Llama-3-8B-Instruct

# 安装 · Installation

# %% driver needs=["npu"]
npu-smi info

# %% cann
[ -n "$ASCEND_HOME_PATH" ] && echo "CANN is set" || echo "CANN is not set: source its set_env.sh"

# %% operators
ls "$ASCEND_OPP_PATH"/built-in/op_impl/ai_core/tbe/kernel 2>/dev/null || echo "no operator packages found"

# %% build
export TORCH_DEVICE_BACKEND_AUTOLOAD=0
python -c "import torch; print(torch.__version__, 'CUDA:', torch.version.cuda)"
unset TORCH_DEVICE_BACKEND_AUTOLOAD

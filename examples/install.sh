# 安装 · Installation

# %% driver needs=["npu"]
npu-smi info

# %% cann
[ -n "$ASCEND_HOME_PATH" ] && echo "CANN is set" || echo "CANN is not set: source its set_env.sh"

# %% operators
ls "$ASCEND_OPP_PATH"/built-in/op_impl/ai_core/tbe/kernel 2>/dev/null || echo "no operator packages found"

# %% build
TORCH_DEVICE_BACKEND_AUTOLOAD=0 python -c "import torch; print('torch', torch.__version__, 'built for CUDA:', torch.version.cuda)"

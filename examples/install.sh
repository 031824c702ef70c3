# 安装 · Installation

# %% driver needs=["npu"]
npu-smi info

# %% cann
[ -n "$ASCEND_HOME_PATH" ] && echo "CANN is set" || echo "CANN is not set: source its set_env.sh"

# %% venv
python3 -m venv llama-npu
source llama-npu/bin/activate
python --version

# %% packages
cat > requirements-npu.txt <<END
torch==2.13.0
torch_npu==2.13.0
transformers==5.23.0
datasets==5.2.0
evaluate==0.4.6
accelerate==1.15.0
peft==0.21.2
trl==1.16.0
scikit-learn
modelscope==1.40.2
END
pip install -qq --dry-run --report plan.json -r requirements-npu.txt \
    attrs cython decorator sympy cffi pyyaml pathlib2 protobuf scipy requests psutil absl-py

# %% plan
python - <<END
import json
for package in json.load(open("plan.json"))["install"]:
    if package["requested"]:
        print(package["metadata"]["name"], package["metadata"]["version"])
END

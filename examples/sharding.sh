# 切分 · Sharding

# %% fsdp_trainer needs=["npu>=2"]
accelerate launch --num_processes 2 --use_fsdp --fsdp_version 2 --fsdp_state_dict_type FULL_STATE_DICT \
    distributed_train.py 2> fsdp.log || { tail fsdp.log; false; }
mv trained trained_fsdp

# %% zero_config
cat > zero2.json <<'END'
{
  "zero_optimization": {
    "stage": 2,
    "offload_optimizer": {"device": "cpu"},
    "reduce_bucket_size": 1000000,
    "allgather_bucket_size": 1000000
  },
  "zero_force_ds_cpu_optimizer": false,
  "train_micro_batch_size_per_gpu": "auto",
  "gradient_accumulation_steps": "auto",
  "gradient_clipping": "auto"
}
END

# %% zero2 needs=["npu>=2"]
accelerate launch --num_processes 2 --use_deepspeed --deepspeed_config_file zero2.json \
    distributed_train.py 2> zero2.log || { tail zero2.log; false; }
mv trained trained_zero2

# %% zero3_config
cat > zero3.json <<'END'
{
  "zero_optimization": {
    "stage": 3,
    "reduce_bucket_size": 1000000,
    "stage3_prefetch_bucket_size": 1000000,
    "stage3_param_persistence_threshold": 10000,
    "stage3_gather_16bit_weights_on_model_save": true
  },
  "train_micro_batch_size_per_gpu": "auto",
  "gradient_accumulation_steps": "auto",
  "gradient_clipping": "auto"
}
END

# %% zero3 needs=["npu>=2"]
accelerate launch --num_processes 2 --use_deepspeed --deepspeed_config_file zero3.json \
    distributed_train.py 2> zero3.log || { tail zero3.log; false; }
mv trained trained_zero3

# %% reload needs=["npu>=2"]
cat > reload.py <<'END'
from pathlib import Path
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer

reviews = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42)[:8]["text"]
for folder in sorted(Path(".").glob("trained_*")):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    batch = tokenizer(reviews, truncation=True, max_length=64, padding=True, return_tensors="pt")
    print(f"{folder}, loaded again: stars:", (model(**batch).logits.argmax(-1) + 1).tolist())
END
python reload.py 2> reload.log || { tail reload.log; false; }

# %% fsdp_loop needs=["npu>=2"]
torchrun --standalone --nproc_per_node 2 fsdp_train.py 2> fsdp_loop.log || { tail fsdp_loop.log; false; }

# %% fsdp_resume needs=["npu>=2"]
python fsdp_train.py 2> fsdp_resume.log || { tail fsdp_resume.log; false; }

# 切分 · Sharding

# %% fsdp_trainer needs=["npu>=2"]
accelerate launch --num_processes 2 --use_fsdp --fsdp_version 2 \
    distributed_train.py 2> fsdp.log | grep -v "^{"

# %% zero_config
cat > zero2.json <<'END'
{
  "zero_optimization": {
    "stage": 2,
    "reduce_bucket_size": 1000000,
    "allgather_bucket_size": 1000000
  },
  "train_micro_batch_size_per_gpu": "auto",
  "gradient_accumulation_steps": "auto",
  "gradient_clipping": "auto"
}
END

# %% zero2 needs=["npu>=2"]
accelerate launch --num_processes 2 --use_deepspeed --deepspeed_config_file zero2.json \
    distributed_train.py 2> zero2.log | grep -v "^{"

# %% fsdp_loop needs=["npu>=4"]
python fsdp_train.py
torchrun --standalone --nproc_per_node 4 fsdp_train.py 2> fsdp_loop.log

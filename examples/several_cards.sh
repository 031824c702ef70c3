# 多卡续训与最好的模型 · Resuming on several cards, and the best model

# %% lora needs=["npu>=2"]
torchrun --standalone --nproc_per_node 2 lora_cards.py 2> lora.log || { tail lora.log; false; }

# %% resume needs=["npu>=2"]
rm -r checkpoints/checkpoint-4  # as if it had been stopped before step 4
torchrun --standalone --nproc_per_node 2 lora_cards.py 2> resume.log || { tail resume.log; false; }

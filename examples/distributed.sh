# 多卡 · Several cards

# %% cards needs=["npu"]
python -c "import torch; print(torch.npu.device_count(), 'NPUs')"

# %% two needs=["npu>=2"]
torchrun --standalone --nproc_per_node 2 distributed_train.py 2> two.log || { tail two.log; false; }

# %% reload needs=["npu"]
cat > reload.py <<'END'
import sys
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer

reviews = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42)[:8]["text"]
for folder in sys.argv[1:]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    batch = tokenizer(reviews, truncation=True, max_length=64, padding=True, return_tensors="pt")
    print(f"{folder}, loaded again: stars:", (model(**batch).logits.argmax(-1) + 1).tolist())
END
python reload.py trained 2> reload.log || { tail reload.log; false; }

# %% config needs=["npu"]
accelerate config default --config_file cards.json
grep -E "distributed_type|num_machines|num_processes|mixed_precision" cards.json

# %% accelerate needs=["npu>=2"]
accelerate launch --config_file cards.json --num_processes 2 distributed_train.py \
    2> accelerate.log || { tail accelerate.log; false; }

# %% check
cat > check.py <<'END'
import os
import torch
import torch.distributed as dist

card = int(os.environ["LOCAL_RANK"])
torch.npu.set_device(card)
dist.init_process_group("hccl")
total = torch.tensor(dist.get_rank() + 1.0, device="npu")
dist.all_reduce(total)
if dist.get_rank() == 0:
    print(f"{dist.get_world_size()} cards, the sum of 1, 2, ... is {total.item():.0f}")
dist.destroy_process_group()
END

# %% hosts needs=["npu>=2"]
port=$((20000 + RANDOM % 10000))
for host in 0 1; do
    ASCEND_RT_VISIBLE_DEVICES=$host torchrun --nnodes 2 --node_rank $host --nproc_per_node 1 \
        --master_addr "$(hostname)" --master_port $port check.py > host$host.log 2>&1 &
    processes[host]=$!
done
wait ${processes[0]} && wait ${processes[1]} || { tail host0.log host1.log; false; }
grep cards host0.log

# %% ranktable needs=["npu>=2"]
cat > ranktable.json <<END
{
  "version": "1.0",
  "status": "completed",
  "server_count": "1",
  "server_list": [
    {
      "server_id": "$(hostname)",
      "device": [
        {"device_id": "0", "rank_id": "0"},
        {"device_id": "1", "rank_id": "1"}
      ]
    }
  ]
}
END
export RANK_TABLE_FILE=$PWD/ranktable.json
torchrun --standalone --nproc_per_node 2 check.py 2> ranktable.log || { tail ranktable.log; false; }
unset RANK_TABLE_FILE

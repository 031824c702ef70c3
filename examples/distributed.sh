# 多卡 · Several cards

# %% cards
python -c "import torch; print(torch.npu.device_count(), 'NPUs')"

# %% one
python distributed_train.py 2> one.log | grep -v "^{"

# %% two
torchrun --nproc_per_node 2 distributed_train.py 2> two.log | grep -v "^{"

# %% accelerate
accelerate launch --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no \
    distributed_train.py 2> accelerate.log | grep -v "^{"

# %% hosts
for host in 0 1; do
    ASCEND_RT_VISIBLE_DEVICES=$host torchrun --nnodes 2 --node_rank $host --nproc_per_node 1 \
        --master_addr "$(hostname)" --master_port 29511 distributed_train.py > host$host.log 2>&1 &
done
wait
grep -h "^process" host0.log host1.log
grep -h "^step" host0.log

# %% fsdp
python fsdp_train.py
torchrun --nproc_per_node 2 fsdp_train.py 2> fsdp.log | sort

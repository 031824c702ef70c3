# 杀死，然后续训 · Killed, then resumed

# %% kill
python resume_train.py > first.log 2>&1 &
until [ -e checkpoints/checkpoint-20/trainer_state.json ] || ! kill -0 $!; do sleep 0.1; done
kill -9 $!
{ wait $!; } 2> notice.log || echo "exit status $?"
ls checkpoints

# %% files
ls -l checkpoints/checkpoint-20 | awk 'NR > 1 {print $5, $9}'

# %% resume
python resume_train.py 2> second.log

# %% half
truncate -s 1M checkpoints/checkpoint-30/adapter_model.safetensors
python resume_train.py > half.log 2>&1 || grep -m 1 "Error:" half.log

#!/usr/bin/env bash
# Made version1/ with the program as it was when config.json had version 1: a run of each cell
# after two epochs, and the weights and the state that it had after four. Today's program reads
# these runs; it can't write them.
#
#   generate.sh CLI FOLDER
set -euo pipefail
cli=$1 out=$2
sizes="--batch-size 10 --train-size 60 --valid-size 20 --test-size 20 --hidden-size 6 --backend reference --quiet --epochs 2"
train() { "$cli" train --cell "$1" "${@:2}" $sizes --output "$out/$1"; }
train rnn --dataset recall --length 8 --symbols 5 --activation modrelu --optimizer rmsprop --weight-decay 0.01 \
    --recurrent-init orthogonal --recurrent-learning-rate 0.0005 --clip-norm 1 --embedding-size 4
train urnn --dataset copying --length 4 --activation leaky-relu --slope 0.7 --manifold cayley --skew-init henaff \
    --manifold-learning-rate 0.0002 --learning-rate 0.002
train gru --dataset kth-largest --length 8 --k 3 --fresh-data --optimizer sgd --momentum 0.9 --nesterov \
    --schedule plateau --schedule-factor 0.5 --schedule-patience 1 --zoneout 0.1 --weight-dropout 0.1 --embedding-size 4
train ugru --dataset recall --length 8 --reset-gate before --activation relu --optimizer adamw --weight-decay 0.05 \
    --manifold exponential-eigen --schedule step --schedule-epochs 1 --warmup-steps 3 --dropout 0.3 \
    --dropout-on output,logits --locked-dropout --embedding-dropout 0.1 --layers 2 --embedding-size 4
for cell in rnn urnn gru ugru; do
    cp -r "$out/$cell" "$out/$cell.after"
    "$cli" train --resume "$out/$cell.after" --epochs 4 --quiet
    for file in model state; do mv "$out/$cell.after/$file.safetensors" "$out/$cell/$file-after.safetensors"; done
    rm -r "$out/$cell.after"
done

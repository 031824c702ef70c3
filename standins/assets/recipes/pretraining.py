"""Next-token prediction on rated sentences: what the small Llama knows before anybody fine-tunes it.

A document is a sentence followed by one token for what one of its readers said about it, drawn anew each time, so the
model meets opinions the way a large model meets them in its corpus: as text.  Only sentences outside the data set are
read.  Three things make it a matter of a minute or two:

- a token's embedding is SmolLM2's, mapped by one matrix that learns, plus a correction of the token's own; what is
  learned about a word reaches the words like it, also those that never occur here;
- the opinion is predicted for every document, its other tokens for some documents only;
- the softmax runs over a sample: frequent tokens, the targets of the batch, and others drawn by chance, whose logits
  are raised by the logarithm of how many each stands for, so that its expectation is about that of the full softmax.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from standins.assets.recipes.rated_sentences import Sentence

EPOCHS = 3
BATCH = 64  # documents
RATE = 1e-3  # peak learning rate
WARM_UP = 50  # steps
LONGEST = 48  # tokens of a sentence, the last ones
FREQUENT = 800  # tokens that are always in the softmax
SAMPLED = 400  # of all others
READ_ALOUD = 1 / 3  # of the documents: those whose every token is predicted
OPINION_WEIGHT = 8.0  # in the loss, against 1 for a token of the sentence
OPINION_TOKENS = range(128011, 128020)  # reserved special tokens: opinions from -4 to 4
SEED = 3


class Embeddings(nn.Module):
    """Embeddings of all tokens, of which one matrix and the corrections of the occurring tokens learn."""

    def __init__(self, known: Tensor, mapping: Tensor, occurring: Sequence[int]) -> None:
        super().__init__()
        self.known = known  # (tokens, known width)
        self.mapping = nn.Parameter(mapping)  # (known width, width)
        self.corrections = nn.Embedding(len(occurring) + 1, mapping.shape[1], padding_idx=0)
        nn.init.zeros_(self.corrections.weight)
        self.row = torch.zeros(len(known), dtype=torch.long)  # of the corrections; 0 for tokens that do not occur
        self.row[list(occurring)] = torch.arange(1, len(occurring) + 1)

    def forward(self, tokens: Tensor) -> Tensor:
        mapped: Tensor = self.known[tokens] @ self.mapping + self.corrections(self.row[tokens])
        return mapped


def pretrain(
    model: LlamaForCausalLM,
    embeddings: tuple[Tensor, Tensor],
    tokenizer: PreTrainedTokenizerBase,
    sentences: Sequence[Sentence],
    say: Callable[[str], None],
) -> None:
    """Train the model in place, on the CPU; ``embeddings`` are known ones (tokens, d) and a mapping (d, width)."""
    chance = random.Random(SEED)
    documents = [ids[-LONGEST:] for ids in tokenizer([one.text for one in sentences])["input_ids"]]
    counts = Counter(token for document in documents for token in document)
    counts.update(dict.fromkeys(OPINION_TOKENS, len(documents)))
    embed = Embeddings(*embeddings, sorted(counts))
    softmax = SampledSoftmax(embed, [token for token, _ in counts.most_common(FREQUENT)])
    body = [parameter for name, parameter in model.model.named_parameters() if "embed_tokens" not in name]
    optimizer, schedule = optimization([*body, *embed.parameters()], EPOCHS * math.ceil(len(documents) / BATCH))
    say(f"reading {len(documents)} sentences with {len(counts)} different tokens, {EPOCHS} times")
    for epoch in range(EPOCHS):
        started, losses = time.monotonic(), []
        for batch in batches(documents, chance):
            rows = [[*documents[place], said(sentences[place], chance)] for place in batch]
            aloud = [chance.random() < READ_ALOUD for _ in rows]
            loss = batch_loss(model, embed, softmax, *padded(rows, aloud))
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_([*body, *embed.parameters()], 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(loss.item())
        say(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.2f}, {time.monotonic() - started:.0f} s")
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(embed(torch.arange(len(embed.known))))


def optimization(
    parameters: list[nn.Parameter], steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW whose rate rises for a while, then falls to zero in a straight line."""
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01, fused=True)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / WARM_UP) * (1 - step / steps)
    )


def said(sentence: Sentence, chance: random.Random) -> int:
    """The token of what one reader, drawn by chance, said."""
    return OPINION_TOKENS[chance.choice(sentence.opinions) + 4]


def batches(documents: Sequence[Sequence[int]], chance: random.Random) -> Iterator[list[int]]:
    """Places of documents, those of about the same length together, in random order."""
    places = chance.sample(range(len(documents)), len(documents))
    pool = 20 * BATCH
    found = []
    for start in range(0, len(places), pool):
        alike = sorted(places[start : start + pool], key=lambda place: len(documents[place]))
        found += [alike[first : first + BATCH] for first in range(0, len(alike), BATCH)]
    chance.shuffle(found)
    return iter(found)


def padded(rows: Sequence[Sequence[int]], aloud: Sequence[bool]) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs and targets, (rows, longest - 1), and the targets' weights, zero where nothing is to be predicted."""
    whole = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    inside = torch.arange(1, whole.shape[1]) < lengths[:, None]
    weights = (inside & torch.tensor(aloud)[:, None]).float()
    weights[torch.arange(len(rows)), lengths - 2] = OPINION_WEIGHT
    return whole[:, :-1], whole[:, 1:], weights


def batch_loss(
    model: LlamaForCausalLM,
    embed: Embeddings,
    softmax: SampledSoftmax,
    inputs: Tensor,
    targets: Tensor,
    weights: Tensor,
) -> Tensor:
    """The weighted mean cross entropy of a batch, a scalar."""
    tokens, places = torch.unique(inputs, return_inverse=True)  # each is mapped once
    hidden = model.model(inputs_embeds=embedding(places, embed(tokens)), use_cache=False).last_hidden_state
    wanted = weights > 0
    losses = softmax.losses(hidden[wanted], targets[wanted])
    return (losses * weights[wanted]).sum() / weights.sum()


class SampledSoftmax:
    """Cross entropy over the frequent tokens, the targets themselves and a sample of all others."""

    def __init__(self, embed: Embeddings, frequent: Sequence[int]) -> None:
        self.embed = embed
        self.frequent = torch.tensor(frequent)
        self.place = torch.zeros(len(embed.known), dtype=torch.long)
        self.raised = torch.full((len(embed.known),), math.log(len(embed.known) / SAMPLED))
        self.raised[self.frequent] = 0.0

    def losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """The loss of each target, (targets,), for hidden states (targets, width)."""
        sampled = torch.randint(len(self.embed.known), (SAMPLED,))
        candidates = torch.unique(torch.cat([self.frequent, targets, sampled]))
        self.place[candidates] = torch.arange(len(candidates))
        logits = hidden @ self.embed(candidates).T + self.raised[candidates]
        return cross_entropy(logits, self.place[targets], reduction="none")

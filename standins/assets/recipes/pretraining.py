"""Next-token prediction on rated sentences: what the small Llama knows before anybody fine-tunes it.

A document is a sentence followed by one token for what one of its readers said about it, drawn anew each time, so the
model meets opinions the way a large model meets them in its corpus: as text.  Only the sentences outside the data
set are read.

Two shortcuts make it a matter of a minute or two.  Only the tokens that occur have embeddings that learn.  And the
softmax runs over a sample: all frequent tokens, the targets of the batch, and some of the rest drawn by chance, whose
logits are raised by the logarithm of how many each stands for, so that its expectation is about the full softmax.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from standins.assets.recipes.rated_sentences import Sentence

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

EPOCHS = 3
BATCH = 32  # documents
RATE = 1e-3  # peak learning rate
WARM_UP = 50  # steps
LONGEST = 64  # tokens of a sentence
FREQUENT = 1500  # tokens that are always in the softmax
SAMPLED = 500  # of the tokens that occur, and as many of those that do not
OPINION_WEIGHT = 8.0  # in the loss, against 1 for a token of the sentence
OPINION_TOKENS = range(128011, 128020)  # reserved special tokens: opinions from -4 to 4
SEED = 3


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that occur, numbered from zero: the rows of the embedding matrix that learn."""

    tokens: list[int]
    frequent: list[int]
    """Numbers, not tokens."""

    @classmethod
    def of(cls, documents: Sequence[Sequence[int]]) -> Vocabulary:
        counts = Counter(token for document in documents for token in document)
        counts.update({token: len(documents) for token in OPINION_TOKENS})
        tokens = sorted(counts)
        number = {token: place for place, token in enumerate(tokens)}
        return cls(tokens, [number[token] for token, _ in counts.most_common(FREQUENT)])


def pretrain(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    sentences: Sequence[Sentence],
    say: Callable[[str], None],
) -> None:
    """Train the model in place, on the CPU."""
    import torch

    chance = random.Random(SEED)
    documents = [ids[:LONGEST] for ids in tokenizer([one.text for one in sentences])["input_ids"]]
    vocabulary = Vocabulary.of(documents)
    number = {token: place for place, token in enumerate(vocabulary.tokens)}
    everything = model.get_input_embeddings().weight.data
    learning = torch.nn.Parameter(everything[vocabulary.tokens].clone())
    softmax = SampledSoftmax(learning, vocabulary, everything)
    body = [parameter for name, parameter in model.model.named_parameters() if "embed_tokens" not in name]
    optimizer = torch.optim.AdamW([*body, learning], lr=RATE, weight_decay=0.01, fused=True)
    steps = EPOCHS * math.ceil(len(documents) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / WARM_UP) * (1 - step / steps)
    )
    say(f"reading {len(documents)} sentences with {len(vocabulary.tokens)} different tokens, {EPOCHS} times")
    for epoch in range(EPOCHS):
        started, losses = time.monotonic(), []
        for batch in batches(documents, chance):
            rows = [[number[token] for token in (*documents[place], said(sentences[place], chance))] for place in batch]
            loss = softmax.loss(model, *padded(rows))
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_([*body, learning], 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(loss.item())
        say(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.2f}, {time.monotonic() - started:.0f} s")
    everything[vocabulary.tokens] = learning.data


def said(sentence: Sentence, chance: random.Random) -> int:
    """The token of what one reader, drawn by chance, said."""
    return OPINION_TOKENS[chance.choice(sentence.opinions) - min(range(-4, 5))]


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


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs and targets (rows, longest - 1), and the targets' weights: zero where there is nothing to predict."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    whole = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    places = torch.arange(1, whole.shape[1])
    weights = (places < lengths[:, None]).float()
    weights[torch.arange(len(rows)), lengths - 2] = OPINION_WEIGHT
    return whole[:, :-1], whole[:, 1:], weights


class SampledSoftmax:
    """Cross entropy over the frequent tokens, the batch's targets and a weighted sample of all others."""

    def __init__(self, learning: Tensor, vocabulary: Vocabulary, everything: Tensor) -> None:
        import torch

        occurs = torch.zeros(len(everything), dtype=torch.bool)
        occurs[vocabulary.tokens] = True
        self.learning = learning
        self.absent = everything[~occurs]
        self.frequent = torch.tensor(vocabulary.frequent)
        self.place = torch.zeros(len(learning), dtype=torch.long)
        self.raised = torch.full((len(learning),), math.log(len(learning) / SAMPLED))
        self.raised[self.frequent] = 0.0
        self.absent_raised = math.log(len(self.absent) / SAMPLED)

    def loss(self, model: LlamaForCausalLM, inputs: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """The weighted mean over the targets, a scalar."""
        import torch
        from torch.nn.functional import cross_entropy, embedding

        hidden = model.model(inputs_embeds=embedding(inputs, self.learning), use_cache=False).last_hidden_state
        wanted = weights > 0
        hidden, targets, weights = hidden[wanted], targets[wanted], weights[wanted]
        candidates = torch.unique(torch.cat([self.frequent, targets, torch.randint(len(self.learning), (SAMPLED,))]))
        self.place[candidates] = torch.arange(len(candidates))
        strangers = self.absent[torch.randint(len(self.absent), (SAMPLED,))]
        logits = torch.cat(
            [
                hidden @ self.learning[candidates].T + self.raised[candidates],
                hidden @ strangers.T + self.absent_raised,
            ],
            dim=1,
        )
        return (cross_entropy(logits, self.place[targets], reduction="none") * weights).sum() / weights.sum()

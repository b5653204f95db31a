"""A model and a tokenizer of Transformers made from nothing: random weights, ten words, no download."""

from __future__ import annotations

from typing import Any

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] good bad fine awful food".split()
SHAPE = {"vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}


def tokenizer() -> Any:
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    tokens = {f"{name}_token": token for name, token in special.items()}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=16, **tokens)


def bert(kind: str = "BertForSequenceClassification") -> Any:
    transformers.set_seed(0)
    return getattr(transformers, kind)(transformers.BertConfig(**SHAPE, max_position_embeddings=16)).eval()


def gpt() -> Any:
    transformers.set_seed(0)
    config = transformers.GPT2Config(vocab_size=10, n_embd=8, n_layer=1, n_head=2, n_positions=16, eos_token_id=0, bos_token_id=0)
    return transformers.GPT2LMHeadModel(config).eval()


def pipeline(task: str = "text-classification") -> Any:
    kinds = {
        "text-classification": bert,
        "token-classification": lambda: bert("BertForTokenClassification"),
        "fill-mask": lambda: bert("BertForMaskedLM"),
        "feature-extraction": lambda: bert("BertModel"),
        "zero-shot-classification": bert,
        "text-generation": gpt,
    }
    return transformers.pipeline(task, model=kinds[task](), tokenizer=tokenizer())

"""`assay scaling plan`: a budget split between size and data by a law."""

from __future__ import annotations

import json

import typer

from assay.cli.network.inputs import short
from assay.cli.network.work import JSON, checked, completer
from assay.cli.printing import echo
from assay.cli.scaling.inputs import BUDGET, LAWS, budgets_of, law_of, unique_tokens_of
from assay.cli.scaling.showing import split_words


def plan(
    budget: list[float] = BUDGET,
    law: str = typer.Option(
        "besiroglu", "--law", help=f"{', '.join(LAWS)}, or E,A,B,alpha,beta.", autocompletion=completer(LAWS)
    ),
    unique: str = typer.Option("", "--unique-tokens", help="How many different tokens there are: 10B."),
    as_json: bool = JSON,
) -> None:
    """Split a budget between size and data by a published law or your own.

    The laws are hoffmann (2022, as printed), besiroglu (2024, its refit) and muennighoff (2023). They speak of
    the tokenizer, data and architecture they were fitted to: fit your own runs first.

    With --unique-tokens it also says what the tokens are worth if they must be repeated, by the decay that
    Muennighoff et al. found; the split itself is left as it is.

    For instance: assay scaling plan --budget 1e21 --unique-tokens 10B
    """
    from assay.core import UserError
    from assay.stats import TOKENS_DECAY, effective_tokens

    budgets, chosen = budgets_of(budget), law_of(law)
    if not budgets:
        raise UserError("There is no budget to split.", hint="Give --budget 1e21.")
    rows = []
    for flops in budgets:
        split = checked(lambda flops=flops: chosen.optimal(flops))  # type: ignore[misc]
        row = {"flops": flops, "parameters": split.parameters, "tokens": split.tokens}
        row["loss"] = float(chosen.loss(split.parameters, split.tokens))
        said = f"{flops:.3g} FLOP: {split_words(split.parameters, split.tokens)}, loss {row['loss']:.3f}"
        if unique:
            there = unique_tokens_of(unique)
            row["epochs"] = split.tokens / there
            row["effective_tokens"] = float(effective_tokens(split.tokens, there, TOKENS_DECAY))
            row["loss"] = float(chosen.loss(split.parameters, row["effective_tokens"]))
            if row["epochs"] > 1:
                said += f"; {row['epochs']:.3g} epochs, worth {short(row['effective_tokens'])} new tokens"
                said += f", loss {row['loss']:.3f} by the decay of Muennighoff et al."
        rows.append(row)
        if not as_json:
            echo(said)
    if as_json:
        echo(json.dumps({"law": law, "splits": rows}, indent=1))

"""`assay probe`: at which layers of a network is it to be read off whether a statement is true?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.network.work import JSON, OPEN_MODEL, completer, run_with, value_of
from assay.cli.printing import echo
from assay.techniques.activations.lie_probe import FITTERS, fitter_named

if TYPE_CHECKING:
    from assay.core import Model
    from assay.lab.driver import Driver
    from assay.techniques.activations.folds import Bools, Folds
    from assay.techniques.activations.probes import Fitter
    from assay.techniques.activations.sweep import States


TOLERANCE = 0.06
BAR = 24


def topic_names(incomplete: str) -> list[str]:
    """Topics of statements, for tab completion."""
    from assay.tasks import TwinsTask

    return completer(TwinsTask().topics)(incomplete)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Accuracy layer by layer on one kind of split, and its controls."""

    split: str
    layers: dict[int, float]
    """Layer -> cross-fitted accuracy."""
    nested: float
    """Accuracy at layers chosen without the statements they are tested on."""
    chosen: tuple[int, ...]
    """The layer that each fold was tested at."""
    controls: dict[str, float]

    @property
    def broken(self) -> list[str]:
        """Controls that leave a half by more than the tolerance."""
        return [name for name, value in self.controls.items() if abs(value - 0.5) > TOLERANCE + 1e-9]


def probe(
    model: str = OPEN_MODEL,
    topics: str = typer.Option("", "--topics", help="Some, with commas between.", autocompletion=topic_names),
    n: int = typer.Option(140, "--n", min=2, help="Pairs of statements; two per topic make a couple."),
    step: int = typer.Option(2, "--step", min=1, help="Try every so many layers; 1 takes twice as long as 2."),
    fitter: str = typer.Option(
        "logistic", "--fitter", help=f"{', '.join(FITTERS)}.", autocompletion=completer(FITTERS)
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the statements, the folds and the controls."),
    as_json: bool = JSON,
) -> None:
    """Find the layers at which a probe tells true statements from false ones.

    One row per layer: accuracy on other statements of the same topics, and on a topic left out. The best of
    these rows is optimistic; the line below it is not, for there each fold's layer was chosen without it.

    Three controls must stay at 0.5 within 0.06, or the sweep is called invalid: the same network untrained,
    labels half of which are exchanged, and a bag of words.

    For instance: assay probe --topics cities,capitals --n 80 --fitter ridge
    """
    from assay.core import BadRequest, UnknownName
    from assay.tasks import TwinsTask

    if fitter not in FITTERS:
        raise UnknownName("fitter", fitter, FITTERS, hint=f"Fitters: {', '.join(FITTERS)}.")
    named = tuple(part.strip() for part in topics.split(",") if part.strip())
    task = TwinsTask(topics=named) if named else TwinsTask()
    samples = task.samples(n, seed)
    if (couples := len({sample.cluster for sample in samples})) < 5:
        raise BadRequest(f"{couples} couples of statements cannot fill 5 folds.", hint="Give --n 10 or more.")
    states, untrained, name = read_states([_texts(one) for one in samples], model, step)
    sweeps = sweep(samples, states, untrained, fitter, seed)
    broken = {one.split: one.broken for one in sweeps if one.broken}
    if as_json:
        fields: dict[str, Any] = {"model": name, "statements": 2 * len(samples), "fitter": fitter, "seed": seed}
        rows = {one.split: {**_row(one), "layers": one.layers} for one in sweeps}
        echo(json.dumps(fields | {"topics": list(task.topics), "splits": rows, "valid": not broken}, indent=1))
        return
    echo(f"{name}: {2 * len(samples)} statements, {len(task.topics)} topics, fitter {fitter}")
    _print_layers(sweeps)
    for one in sweeps:
        controls = ", ".join(f"{control} {value:.3f}" for control, value in one.controls.items())
        layers = ", ".join(str(layer) for layer in sorted(set(one.chosen)))
        echo(f"{one.split}: {one.nested:.3f} at layers chosen without the tested fold ({layers})")
        echo(f"  controls: {controls}")
    for split, names in broken.items():
        echo(f"INVALID {split}: {', '.join(names)} left 0.5 by more than {TOLERANCE}; try a larger --n.")


def read_states(texts: Sequence[Sequence[str]], model: str, step: int) -> tuple[States, States, str]:
    """Hidden states of every statement by layer, of the network and of the same one untrained."""
    import numpy as np

    from assay.cli.progress import progress
    from assay.core import Capability, Read, read
    from assay.lab.driver import Job
    from assay.lab.plan import Event
    from assay.workbench.wish import model_choice

    statements = [text for pair in texts for text in pair]
    found: dict[tuple[bool, int], Any] = {}

    async def work(network: Model, driver: Driver) -> tuple[int, ...]:
        first = await value_of(driver, network, lambda: read(Read(statements[0], layers=(-1,))))
        layers = tuple(range(step, first.depth + 1, step)) or (first.depth,)
        with progress("probe") as report:
            report(Event("note", f"reading {len(statements)} statements, trained and untrained"))
            jobs = [
                Job((bare, at), partial(read, Read(text, layers=layers, untrained=bare)), network)
                for bare in (False, True)
                for at, text in enumerate(statements)
            ]
            async for done in driver.run(jobs, in_flight=64):
                if done.error is not None or done.value is None:
                    raise done.error or AssertionError("a reading or an error")
                found[done.key] = done.value.states.array()
                report(Event("sample", "statements read", done=len(found), total=len(jobs)))
        return layers

    layers, name = run_with(model_choice(model, None, 8, 120.0), frozenset({Capability.ACTIVATIONS}), work)
    by_kind = []
    for bare in (False, True):
        stacked = np.stack([found[bare, at] for at in range(len(statements))])
        by_kind.append({layer: stacked[:, index] for index, layer in enumerate(layers)})
    return by_kind[0], by_kind[1], name


def sweep(samples: Sequence[Any], states: States, untrained: States, fitter: str, seed: int) -> list[Sweep]:
    """One sweep within topics, and one over left-out topics where there are at least three."""
    import numpy as np

    from assay.cli.progress import progress
    from assay.lab.plan import Event
    from assay.techniques.activations.folds import grouped_folds, half_exchanged, leave_one_topic_out

    twice = [sample for sample in samples for _ in range(2)]
    couples, topics = [one.cluster for one in twice], [str(one.meta["topic"]) for one in twice]
    labels = np.array([one.target == name for one in samples for name in ("first", "second")])
    splits = {"within topics": grouped_folds(couples, 5, np.random.default_rng(seed), topics)}
    if len(set(topics)) >= 3:
        splits["topic left out"] = leave_one_topic_out(couples, topics)
    pairs = [str(one.meta["pair"]) for one in twice]
    exchanged = half_exchanged(labels, pairs, couples, np.random.default_rng(seed))
    data = (states, untrained, [text for one in samples for text in _texts(one)])
    found = []
    with progress("probe") as report:
        for index, (split, folds) in enumerate(splits.items()):
            total = len(states) + 3

            def step(done: int, index: int = index, total: int = total) -> None:
                report(Event("sample", "probes fitted", done=index * total + done, total=total * len(splits)))

            found.append(_swept(split, folds, data, (labels, exchanged), fitter, step))
    return found


def _swept(
    split: str,
    folds: Folds,
    data: tuple[States, States, list[str]],
    truth: tuple[Bools, Bools],
    fitter: str,
    step: Callable[[int], None],
) -> Sweep:
    from assay.techniques.activations.probes import LogisticProbe, RidgeProbe
    from assay.techniques.activations.sweep import bag_of_words_scores, cross_fit, quality

    states, untrained, texts = data
    labels, exchanged = truth
    chosen_fitter = fitter_named(fitter)
    layers: dict[int, float] = {}
    for layer in sorted(states):
        layers[layer] = quality(cross_fit(states[layer], labels, folds, chosen_fitter), labels, folds).accuracy
        step(len(layers))
    # Layers are chosen with the fitter in closed form: the others would take minutes, fold within fold.
    nested, chosen = _nested(states, labels, labels, folds, (RidgeProbe(), chosen_fitter))
    step(len(layers) + 1)
    bare, _ = _nested(untrained, labels, labels, folds, (RidgeProbe(), chosen_fitter))
    step(len(layers) + 2)
    mixed, _ = _nested(states, exchanged, labels, folds, (RidgeProbe(), chosen_fitter))
    words = quality(bag_of_words_scores(texts, labels, folds, LogisticProbe()), labels, folds).accuracy
    step(len(layers) + 3)
    return Sweep(split, layers, nested, chosen, {"untrained": bare, "shuffled": mixed, "bag of words": words})


def _nested(
    states: States, fitted: Bools, truth: Bools, folds: Folds, fitters: tuple[Fitter, Fitter]
) -> tuple[float, tuple[int, ...]]:
    """Accuracy against the truth, each fold at the layer that the others choose on the labels they are given."""
    import numpy as np

    from assay.techniques.activations.sweep import fit_folds, quality

    scores, chosen = np.empty(len(truth)), []
    for _, test, layer, probe in fit_folds(states, fitted, folds, fitters[1], fitters[0]):
        chosen.append(layer)
        scores[test] = probe.scores(states[layer][test])
    return quality(scores, truth, folds).accuracy, tuple(chosen)


def _texts(sample: Any) -> tuple[str, str]:
    return str(sample.meta["first"]), str(sample.meta["second"])


def _row(one: Sweep) -> dict[str, Any]:
    return {"accuracy": one.nested, "chosen": list(one.chosen), "controls": one.controls, "broken": one.broken}


def _print_layers(sweeps: Sequence[Sweep]) -> None:
    echo(f"{'layer':>5}  " + "  ".join(f"{one.split:<{BAR + 6}}" for one in sweeps).rstrip())
    for layer in sorted(sweeps[0].layers):
        cells = (f"{one.layers[layer]:.3f} {bar(one.layers[layer]):<{BAR}}" for one in sweeps)
        echo(f"{layer:>5}  " + "  ".join(cells).rstrip())


def bar(accuracy: float) -> str:
    """An accuracy between one half and 1 as a bar of eighths of a character."""
    eighths = round(max(0.0, min(1.0, 2 * accuracy - 1)) * BAR * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()

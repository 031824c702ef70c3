"""Accuracy for ``evaluate.load("accuracy")``: the share of predictions that equal their references."""

import datasets
import evaluate
from sklearn.metrics import accuracy_score

_DESCRIPTION = """
The share of predictions that equal their references, between 0 and 1.
"""

_ARGUMENTS = """
predictions: list of int, the predicted labels.
references: list of int, the true labels.
normalize: bool, True by default; False returns the number of correct predictions instead of their share.
sample_weight: list of float, one weight per sample; all samples weigh the same by default.

Returns {"accuracy": float}.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class Accuracy(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("int32")
        column = datasets.Sequence(label) if self.config_name == "multilabel" else label
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_ARGUMENTS,
            features=datasets.Features({"predictions": column, "references": column}),
            reference_urls=["https://scikit-learn.org/stable/modules/generated/sklearn.metrics.accuracy_score.html"],
        )

    def _compute(
        self,
        predictions: list[int],
        references: list[int],
        normalize: bool = True,
        sample_weight: list[float] | None = None,
    ) -> dict[str, float]:
        score = accuracy_score(references, predictions, normalize=normalize, sample_weight=sample_weight)
        return {"accuracy": float(score)}

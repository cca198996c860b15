"""Export to ONNX: a model's own forward pass as a graph, with each tensor under its name here.

In the graph, the values have the names that `minirobert.watch` shows, the weights those of the
checkpoint, and the outputs those of the model's output class. The batch and the texts may have any
length. What a call checks is not in the graph: its ids must be those of words, and the texts no
longer than the model allows.

Besides, the file tells, as ``metadata_props``, the ``class`` of the model, its ``config`` (the text
of its ``config.json``), and that it was ``made_by`` minirobert.

>>> from minirobert import RobertaForMaskedLM
>>> graph = onnx_model(RobertaForMaskedLM.from_pretrained()).graph
>>> [value.name for value in (*graph.input, *graph.output)]
['input_ids', 'attention_mask', 'logits']
"""

from .export import export_onnx, onnx_model

__all__ = ["export_onnx", "onnx_model"]

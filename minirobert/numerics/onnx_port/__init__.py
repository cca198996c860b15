"""Traces of ONNX graphs, which onnxruntime runs: other libraries' exports, and what became of them.

What is found where:

- *torch.onnx.export*, of either exporter and of eager or fused attention, and optimum's exports for
  transformers.js: everything. Where attention is one operation (``Attention`` of opset 23), there
  are no scores and probabilities.
- *Slimmed, with integers or in float16*: everything, also behind ``MatMulInteger``, ``MatMulNBits``
  and pairs of ``QuantizeLinear`` and ``DequantizeLinear``.
- *Optimised by onnxruntime*: what is still made. ``BiasGelu`` hides ``intermediate.dense`` and
  ``lm_head.dense``, ``SkipLayerNormalization`` with a bias the ``dense`` of the two output blocks,
  ``FusedGemm`` that of poolers and classifiers, ``Attention`` all that is within attention; what
  goes into a layer norm that adds is made an output of it. ``intermediate`` is not, where a factor
  of the activation was put into the next product, as of ``laplace``.
- *Our own exports*: everything, as the values have our names.
- *Without names*: everything, where the model is given whose numbers the weights have.

Not found: what an exporter has computed in advance, such as token types where there is one length
alone; the feed-forward network in chunks; ``attend``, but in our own exports. Control flow is not
looked into, as of decoders with a branch for the cache. bfloat16 is not run by onnxruntime's CPU.

What half precision stores is handed on as it is stored; what an optimised session on the CPU keeps
in float32 until the next operation, in float32.
"""

from .port import onnx_values, trace_onnx

__all__ = ["onnx_values", "trace_onnx"]

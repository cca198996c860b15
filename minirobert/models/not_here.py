"""What a module of torch, or a model of transformers, has that is not here: what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["NOT_HERE", "NO_GRADIENTS", "NO_MODE"]

NO_MODE = "dropout is asked for in a call: model(…, train=True, rng=seed)"
NO_GRADIENTS = "gradients are not computed here: train the model with transformers, and load it"
_OTHER_WEIGHTS = (
    "the weights of a model never change: make another, as in type(model)(model.config, "
    "minirobert.parameters.build_tree(weights))"
)
_NO_MODULES = "a model has no modules: minirobert.watch shows, and changes, what it computes"
_NO_ADAPTERS = "adapters are not here: peft merges one into the weights of its model"
_SENTENCES = {
    NO_GRADIENTS: "gradient_checkpointing_enable zero_grad enable_input_require_grads",
    _OTHER_WEIGHTS: "load_state_dict apply init_weights set_output_embeddings",
    _NO_MODULES: "modules named_modules children named_children get_submodule "
    "register_forward_hook register_forward_pre_hook",
    _NO_ADAPTERS: "add_adapter load_adapter set_adapter",
    "save_pretrained writes a directory, and hf upload NAME DIRECTORY uploads it": "push_to_hub",
}

#: Names of methods, each with the end of a sentence.
NOT_HERE: Mapping[str, str] = MappingProxyType(
    {name: sentence for sentence, names in _SENTENCES.items() for name in names.split()}
)

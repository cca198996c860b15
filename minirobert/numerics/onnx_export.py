from typing import Any
from ..models import RobertaPreTrainedModel
from ..parameters import build_tree, flatten
from ..observe import watch
from .lengths import Length
from .recorder import Recorded, Recorder
from .onnx_graph import Value
def record(model: Any, token_type_ids: bool = False, intermediates: bool = False):
    recorder = Recorder()
    batch, length = Length("batch"), Length("sequence")
    choices = getattr(type(model), "head", None) is not None and model.head.choices
    shape = (batch, Length("choices"), length) if choices else (batch, length)
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if token_type_ids else [])]
    inputs = {name: recorder.argument(name, shape, "int64") for name in names}
    weights = {name: recorder.argument(name, array.shape, str(array.dtype)) for name, array in flatten(model.params).items()}
    traced = model._with(params=build_tree(weights))
    more = {"use_cache": False} if model.config.is_decoder else {}
    seen={}
    def watcher(name,array):
        seen[name]=array
        if name not in inputs:
            new=recorder.graph.rename(array.name,name)
            array=Recorded(new,array.shape,array.dtype,recorder)
            seen[name]=array
            return array
    with watch(watcher):
        output = traced(**inputs, **more)
    outs={n:Recorded(recorder.graph.rename(v.name,n),v.shape,v.dtype,recorder) for n,v in output.items()}
    V=lambda a: Value(a.name,a.shape,a.dtype)
    return recorder.graph.model([V(a) for a in inputs.values()],[V(a) for a in outs.values()],flatten(model.params),[V(a) for n,a in seen.items() if n not in inputs])

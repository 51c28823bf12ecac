"""Writes server/tensorflow/operation-outputs.json: the names of every TensorFlow operation's outputs.

Inside a function of a graph an input is named `node:output:index`, so whoever writes functions must know the names of outputs;
TensorFlow's own registry has them. A name that ends in `*` is a list of outputs. Needs tensorflow; run from the repository's root.
"""
import json

from tensorflow.python.framework import op_def_registry
import tensorflow as tf

names = sorted(name for name in dir(tf.raw_ops) if not name.startswith("_"))
outputs = {}
for name in names:
    definition = op_def_registry.get(name)
    if definition is None or definition.HasField("deprecation") or not definition.output_arg:
        continue
    outputs[name] = [a.name + ("*" if a.number_attr or a.type_list_attr else "") for a in definition.output_arg]
with open("server/tensorflow/operation-outputs.json", "w") as file:
    file.write("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in outputs.items()) + "\n}\n")
print(len(outputs), "operations of TensorFlow", tf.__version__)

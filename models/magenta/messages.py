"""The protocol buffers of a TensorFlow checkpoint's index: of their fields, those that are needed here.

They are the messages BundleHeaderProto, BundleEntryProto, TensorShapeProto and VersionDef of TensorFlow
(tensorflow/core/protobuf/tensor_bundle.proto and what it imports), with shorter names.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
# Message -> (field, number, type or another message, repeated?)
_MESSAGES: dict[str, list[tuple[str, int, int | str, bool]]] = {
    "Version": [("min_consumer", 2, _Field.TYPE_INT32, False)],
    "Header": [
        ("num_shards", 1, _Field.TYPE_INT32, False),
        ("endianness", 2, _Field.TYPE_INT32, False),
        ("version", 3, "Version", False),
    ],
    "Dim": [("size", 1, _Field.TYPE_INT64, False)],
    "Shape": [("dim", 2, "Dim", True), ("unknown_rank", 3, _Field.TYPE_BOOL, False)],
    "Entry": [
        ("dtype", 1, _Field.TYPE_INT32, False),
        ("shape", 2, "Shape", False),
        ("shard_id", 3, _Field.TYPE_INT32, False),
        ("offset", 4, _Field.TYPE_INT64, False),
        ("size", 5, _Field.TYPE_INT64, False),
        ("crc32c", 6, _Field.TYPE_FIXED32, False),
        ("slices", 7, _Field.TYPE_BYTES, True),
    ],
}


def parse(message: str, value: bytes) -> Any:
    """A message of the given name, "Header" or "Entry"; fields that are not there are 0. Raises DecodeError."""
    return _CLASSES[message].FromString(value)


def _message_classes() -> dict[str, Any]:
    package = "tetrad.tensor_bundle"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, number, kind, is_repeated in fields:
            field = message.field.add(name=name, number=number)
            field.label = _Field.LABEL_REPEATED if is_repeated else _Field.LABEL_OPTIONAL
            field.type = _Field.TYPE_MESSAGE if isinstance(kind, str) else kind
            if isinstance(kind, str):
                field.type_name = f".{package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {m: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{m}")) for m in _MESSAGES}


_CLASSES = _message_classes()

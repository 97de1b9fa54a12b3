//! A graph of ONNX, built node by node; each call returns the name of what the node computes.
//!
//! Operator set 9: the last in which `Clip` has its limits as attributes.

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto::Dimension, tensor_shape_proto::dimension,
    type_proto,
};

/// A value in the graph.
#[derive(Clone, Debug)]
pub(super) struct Value(String);

/// Weights (out x in / groups x side x side) and bias of a convolution that keeps its size but for the stride: padded
/// as TensorFlow does, the odd row and column at the end.
pub(super) struct Convolution {
    pub(super) shape: [usize; 4],
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) stride: usize,
    pub(super) groups: usize,
}

#[derive(Default)]
pub(super) struct Graph(GraphProto);

impl Graph {
    /// The input: one image.
    pub(super) fn input(&mut self, shape: [usize; 4]) -> Value {
        let name = "image".to_owned();
        self.0.input.push(value(&name, &shape));
        Value(name)
    }

    pub(super) fn convolution(&mut self, x: &Value, conv: Convolution) -> Value {
        let [outputs, _, side, _] = conv.shape;
        let weights = self.tensor(&conv.shape, conv.weights);
        let bias = self.tensor(&[outputs], conv.bias);
        let attributes = vec![
            text("auto_pad", "SAME_UPPER"),
            integers("kernel_shape", &[side, side]),
            integers("strides", &[conv.stride, conv.stride]),
            integer("group", conv.groups),
        ];
        self.node("Conv", &[&x.0, &weights, &bias], attributes)
    }

    /// min(max(x, 0), 6).
    pub(super) fn relu6(&mut self, x: &Value) -> Value {
        self.node("Clip", &[&x.0], vec![float("min", 0.0), float("max", 6.0)])
    }

    pub(super) fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Add", &[&a.0, &b.0], Vec::new())
    }

    /// The means over all pixels of these values, each of so many channels, one behind the other as the model's output.
    /// What they do not depend on is not computed.
    pub(super) fn finish(mut self, values: &[(Value, usize)]) -> ModelProto {
        let mut parts = Vec::new();
        for (x, _) in values {
            let mean = self.node("GlobalAveragePool", &[&x.0], Vec::new());
            parts.push(self.node("Flatten", &[&mean.0], vec![integer("axis", 1)]));
        }
        let parts: Vec<&str> = parts.iter().map(|part| &*part.0).collect();
        let all = self.node("Concat", &parts, vec![integer("axis", 1)]);
        let channels = values.iter().map(|(_, channels)| channels).sum();
        self.0.output.push(value(&all.0, &[1, channels]));
        let version = OperatorSetIdProto {
            version: 9,
            ..OperatorSetIdProto::default()
        };
        ModelProto {
            ir_version: 4,
            opset_import: vec![version],
            graph: Some(self.0),
            ..ModelProto::default()
        }
    }

    fn node(&mut self, kind: &str, inputs: &[&str], attribute: Vec<AttributeProto>) -> Value {
        let name = format!("node{}", self.0.node.len());
        self.0.node.push(NodeProto {
            name: name.clone(),
            op_type: kind.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.clone()],
            attribute,
            ..NodeProto::default()
        });
        Value(name)
    }

    fn tensor(&mut self, shape: &[usize], values: Vec<f32>) -> String {
        let name = format!("tensor{}", self.0.initializer.len());
        self.0.initializer.push(TensorProto {
            name: name.clone(),
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: DataType::Float as i32,
            float_data: values,
            ..TensorProto::default()
        });
        name
    }
}

fn value(name: &str, shape: &[usize]) -> ValueInfoProto {
    let dim = shape.iter().map(|&size| Dimension {
        value: Some(dimension::Value::DimValue(size as i64)),
        ..Dimension::default()
    });
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: dim.collect() }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: kind as i32,
        ..AttributeProto::default()
    }
}

fn integer(name: &str, value: usize) -> AttributeProto {
    AttributeProto {
        i: value as i64,
        ..attribute(name, AttributeType::Int)
    }
}

fn integers(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        ints: values.iter().map(|&value| value as i64).collect(),
        ..attribute(name, AttributeType::Ints)
    }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        f: value,
        ..attribute(name, AttributeType::Float)
    }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        s: value.as_bytes().to_vec(),
        ..attribute(name, AttributeType::String)
    }
}

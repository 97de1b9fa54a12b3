//! Pickles without Python: what a program of the pickle machine builds, as plain data.
//!
//! A pickle is a program, and Python's interpreter of it calls whatever the program names. This one knows the
//! handful of constructors that a dictionary of tensors needs ([`Global`]); it calls nothing, it writes down what was
//! to be called. What any other name would make (a NumPy scalar, a device, a date, settings) becomes one opaque
//! value, [`Value::Foreign`], whose content is not kept: a checkpoint may hold it beside its tensors. Values live in
//! one arena and refer to each other by number: a program may tie values into cycles or nest them a million deep, and
//! neither may leak memory or overflow the stack when they are dropped.

mod decimal;
mod machine;
mod names;

use std::collections::BTreeSet;
use std::fmt;

pub use super::fault::{MAX_VALUES, PickleFault};
pub use machine::load;
pub(super) use machine::run;

/// The callables that a pickle may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `collections.defaultdict`.
    DefaultDict,
    /// `torch._utils._rebuild_tensor_v2`: storage, offset, size, stride, ...
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`: data, requires_grad, hooks.
    RebuildParameter,
    /// `torch._tensor._rebuild_from_type_v2`: constructor, type, its arguments, attributes.
    RebuildFromType,
    /// `torch.Size`.
    Size,
    /// `torch.FloatStorage` and its like.
    Storage(super::dtype::Dtype),
}

/// A value's place in its arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueId(u32);

/// A value that a pickle built.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// None.
    None,
    /// True or False.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// A longer integer: two's complement, lowest byte first.
    LongInt(&'a [u8]),
    /// A float.
    Float(f64),
    /// Unicode text.
    Text(&'a str),
    /// A tuple.
    Tuple(Vec<ValueId>),
    /// A list.
    List(Vec<ValueId>),
    /// A dictionary, ordered or not, with its items as they came.
    Dict(Vec<(ValueId, ValueId)>),
    /// One of the known callables.
    Global(Global),
    /// What a call of a known callable would give: which, and the tuple of arguments.
    Call(Global, ValueId),
    /// A reference to something outside of the pickle (a storage), by the tuple that names it.
    Persistent(ValueId),
    /// What only Python could make: a name that is not known here, or what calling it would give.
    Foreign(Foreign<'a>),
}

/// The name of a foreign class or function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign<'a> {
    /// Its module.
    pub module: &'a str,
    /// Its name there.
    pub name: &'a str,
}

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, name } = self;
        f.write_str(&super::text::one_line(&format!("{module}.{name}")))
    }
}

/// All values of a pickle.
#[derive(Clone, Debug, Default)]
pub struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Option<ValueId>,
}

impl<'a> Pickle<'a> {
    /// The value that the pickle stands for.
    pub fn root(&self) -> &Value<'a> {
        self.root.map_or(&Value::None, |id| self.get(id))
    }

    /// Where that value is; the first one for a pickle that has none.
    pub fn root_id(&self) -> ValueId {
        self.root.unwrap_or(ValueId(0))
    }

    /// The value at a place.
    pub fn get(&self, id: ValueId) -> &Value<'a> {
        self.values.get(id.0 as usize).unwrap_or(&Value::None)
    }

    /// What foreign things the pickle holds, each once.
    pub fn foreign(&self) -> impl Iterator<Item = Foreign<'a>> + use<'a> {
        let found = self.values.iter().filter_map(|value| match value {
            Value::Foreign(foreign) => Some(*foreign),
            _ => None,
        });
        found.collect::<BTreeSet<_>>().into_iter()
    }

    /// Every place, in the order of building.
    pub fn ids(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.values.len() as u32).map(ValueId)
    }

    /// The elements, if the value is a tuple or a list.
    pub fn sequence(&self, id: ValueId) -> Option<&[ValueId]> {
        match self.get(id) {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if the value is one.
    pub fn text(&self, id: ValueId) -> Option<&'a str> {
        match *self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if the value is one and not negative.
    pub fn size(&self, id: ValueId) -> Option<u64> {
        match *self.get(id) {
            Value::Int(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }
}

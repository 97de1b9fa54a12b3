//! The pickle machine: a stack, marks, a memo, and the instructions of protocols 0 to 5 but for those that reach
//! outside of the pickle (extension codes, buffers).
//!
//! Work and memory are linear in the program's length: every instruction makes at most one value, and moves stack
//! entries instead of copying them.

use super::{Foreign, Global, MAX_VALUES, Pickle, PickleFault, Value, ValueId, decimal, names};
use crate::convert::ConvertError;
use crate::convert::bytes::Bytes;
use std::collections::BTreeMap;

const LAST_PROTOCOL: u8 = 5;

/// Runs one pickle from where `bytes` stands to its STOP, leaving `bytes` behind it.
///
/// # Errors
/// [`ConvertError::Pickle`] with the offset of the instruction.
pub(in crate::convert) fn run<'a>(bytes: &mut Bytes<'a>) -> Result<Pickle<'a>, ConvertError> {
    let mut machine = Machine::default();
    loop {
        let offset = bytes.offset();
        match machine.step(bytes) {
            Ok(Some(root)) => {
                machine.pickle.root = Some(root);
                return Ok(machine.pickle);
            }
            Ok(None) => {}
            Err(fault) => return Err(ConvertError::Pickle { fault, offset }),
        }
    }
}

/// Runs the pickle at the start of `bytes`.
///
/// # Errors
/// [`ConvertError::Pickle`] with the offset of the instruction.
pub fn load(bytes: &[u8]) -> Result<Pickle<'_>, ConvertError> {
    run(&mut Bytes::new(bytes))
}

#[derive(Default)]
struct Machine<'a> {
    pickle: Pickle<'a>,
    stack: Vec<ValueId>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: BTreeMap<u32, ValueId>,
}

type Done<T> = Result<T, PickleFault>;

impl<'a> Machine<'a> {
    /// One instruction; the root value at STOP.
    fn step(&mut self, bytes: &mut Bytes<'a>) -> Done<Option<ValueId>> {
        let code = bytes.u8().ok_or(PickleFault::Truncated)?;
        match code {
            b'.' => return self.pop("STOP").map(Some),
            0x80 => protocol(take(bytes.u8())?)?,
            // FRAME only tells how much follows.
            0x95 => {
                take(bytes.u64())?;
            }
            b'(' => self.mark()?,
            b'0' => {
                self.pop("POP")?;
            }
            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'K' => self.int(take(bytes.u8())?.into())?,
            b'M' => self.int(take(bytes.u16())?.into())?,
            b'J' => self.int(i32::from_le_bytes(take(bytes.array())?).into())?,
            0x8a => {
                let len = take(bytes.u8())?;
                self.long(take(bytes.take(len.into()))?)?;
            }
            0x8b => {
                let len = take(bytes.u32())?;
                self.long(take(bytes.take(take(len.try_into().ok())?))?)?;
            }
            b'G' => self.push(Value::Float(f64::from_be_bytes(take(bytes.array())?)))?,
            b'X' => self.text(bytes, |bytes| bytes.u32()?.try_into().ok())?,
            0x8c => self.text(bytes, |bytes| bytes.u8().map(usize::from))?,
            0x8d => self.text(bytes, |bytes| bytes.u64()?.try_into().ok())?,
            b'c' => self.global_of_lines(bytes)?,
            0x93 => self.global_of_stack()?,
            b'q' => self.put(take(bytes.u8())?.into())?,
            b'r' => self.put(take(bytes.u32())?)?,
            0x94 => self.put(self.memo.len() as u32)?,
            b'h' => self.fetch(take(bytes.u8())?.into())?,
            b'j' => self.fetch(take(bytes.u32())?)?,
            _ => self.old(code, bytes)?,
        }
        Ok(None)
    }

    /// Strings of bytes, and the lines of text of the first protocols.
    fn old(&mut self, code: u8, bytes: &mut Bytes<'a>) -> Done<()> {
        match code {
            b'I' | b'L' => {
                let value = decimal::integer(take(bytes.line())?);
                self.push(value.unwrap_or(built_in("int")))
            }
            b'F' => {
                let value = decimal::float(take(bytes.line())?);
                self.push(value.unwrap_or(built_in("float")))
            }
            b'S' => {
                let text = decimal::quoted(take(bytes.line())?);
                self.push(text.map_or(built_in("str"), Value::Text))
            }
            b'V' => {
                let text = utf8(take(bytes.line())?)?;
                let plain = !text.contains('\\');
                self.push(if plain {
                    Value::Text(text)
                } else {
                    built_in("str")
                })
            }
            b'U' => {
                let len = take(bytes.u8())?;
                self.string(take(bytes.take(len.into()))?)
            }
            b'T' => {
                let len = take(bytes.u32())?;
                self.string(take(bytes.take(take(len.try_into().ok())?))?)
            }
            b'C' | b'B' | 0x8e | 0x96 => {
                let len = match code {
                    b'C' => bytes.u8().map(u64::from),
                    b'B' => bytes.u32().map(u64::from),
                    _ => bytes.u64(),
                };
                let len = len.and_then(|len| usize::try_from(len).ok());
                take(bytes.take(take(len)?))?;
                self.push(built_in("bytes"))
            }
            b'p' | b'g' => {
                let index = std::str::from_utf8(take(bytes.line())?).ok();
                let index = index.and_then(|digits| digits.parse().ok());
                let index = index.ok_or(PickleFault::Text)?;
                if code == b'p' {
                    self.put(index)
                } else {
                    self.fetch(index)
                }
            }
            b'P' => {
                take(bytes.line())?;
                self.push(built_in("str"))
            }
            b'i' => {
                let (module, name) = (utf8(take(bytes.line())?)?, utf8(take(bytes.line())?)?);
                self.pop_to_mark("INST")?;
                self.push(names::value(module, name)?)?;
                let class = self.pop("INST")?;
                self.instance(class)
            }
            _ => self.build(code),
        }
    }

    /// A Python 2 string: text, where it is.
    fn string(&mut self, bytes: &'a [u8]) -> Done<()> {
        let text = std::str::from_utf8(bytes);
        self.push(text.map_or(built_in("bytes"), Value::Text))
    }

    /// An object of a class: of it nothing is kept, unless it is a dictionary.
    fn instance(&mut self, class: ValueId) -> Done<()> {
        match self.pickle.get(class) {
            Value::Global(Global::OrderedDict | Global::DefaultDict) => {
                self.push(Value::Dict(Vec::new()))
            }
            Value::Foreign(_) => self.stack_up(class),
            _ => Err(PickleFault::Operands("NEWOBJ")),
        }
    }

    /// The instructions that build containers and calls out of what is on the stack.
    fn build(&mut self, code: u8) -> Done<()> {
        match code {
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85 => self.tuple_of(1),
            0x86 => self.tuple_of(2),
            0x87 => self.tuple_of(3),
            b't' => {
                let items = self.pop_to_mark("TUPLE")?;
                self.push(Value::Tuple(items))
            }
            b']' => self.push(Value::List(Vec::new())),
            b'a' => {
                let item = self.pop("APPEND")?;
                self.append(vec![item])
            }
            b'e' => {
                let items = self.pop_to_mark("APPENDS")?;
                self.append(items)
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b's' => {
                let value = self.pop("SETITEM")?;
                let key = self.pop("SETITEM")?;
                self.set_items(vec![key, value])
            }
            b'u' => {
                let items = self.pop_to_mark("SETITEMS")?;
                self.set_items(items)
            }
            b'd' => {
                let items = self.pop_to_mark("DICT")?;
                self.push(Value::Dict(Vec::new()))?;
                self.set_items(items)
            }
            b'l' => {
                let items = self.pop_to_mark("LIST")?;
                self.push(Value::List(items))
            }
            0x8f => self.push(built_in("set")),
            0x90 | 0x91 => {
                self.pop_to_mark("ADDITEMS")?;
                if code == 0x90 {
                    Ok(())
                } else {
                    self.push(built_in("frozenset"))
                }
            }
            b'1' => self.pop_to_mark("POP_MARK").map(drop),
            b'2' => {
                let top = self.pop("DUP")?;
                self.stack.push(top);
                self.stack_up(top)
            }
            b'R' => self.reduce(),
            0x81 | 0x92 => self.new_object(code == 0x92),
            b'o' => {
                let items = self.pop_to_mark("OBJ")?;
                let class = items.first().ok_or(PickleFault::Operands("OBJ"))?;
                self.instance(*class)
            }
            b'b' => self.set_state(),
            b'Q' => {
                let name = self.pop("BINPERSID")?;
                self.push(Value::Persistent(name))
            }
            _ => Err(PickleFault::Opcode(code)),
        }
    }

    fn push(&mut self, value: Value<'a>) -> Done<()> {
        let id = self.pickle.values.len();
        if id >= MAX_VALUES {
            return Err(PickleFault::TooManyValues);
        }
        self.pickle.values.push(value);
        self.stack_up(ValueId(id as u32))
    }

    fn stack_up(&mut self, id: ValueId) -> Done<()> {
        if self.stack.len() >= MAX_VALUES {
            return Err(PickleFault::TooManyValues);
        }
        self.stack.push(id);
        Ok(())
    }

    fn pop(&mut self, name: &'static str) -> Done<ValueId> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(PickleFault::Operands(name));
        }
        self.stack.pop().ok_or(PickleFault::Operands(name))
    }

    fn mark(&mut self) -> Done<()> {
        if self.marks.len() >= MAX_VALUES {
            return Err(PickleFault::TooManyValues);
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_to_mark(&mut self, name: &'static str) -> Done<Vec<ValueId>> {
        let floor = self.marks.pop().ok_or(PickleFault::Operands(name))?;
        Ok(self.stack.split_off(floor))
    }

    fn int(&mut self, value: i64) -> Done<()> {
        self.push(Value::Int(value))
    }

    fn long(&mut self, digits: &'a [u8]) -> Done<()> {
        let mut wide = [0; 8];
        match wide.get_mut(..digits.len()) {
            Some(low) => {
                low.copy_from_slice(digits);
                // Sign extension of a number of fewer than eight bytes.
                let unused = 64 - 8 * digits.len() as u32;
                let value = i64::from_le_bytes(wide);
                self.int(
                    value
                        .checked_shl(unused)
                        .unwrap_or(0)
                        .checked_shr(unused)
                        .unwrap_or(0),
                )
            }
            None => self.push(Value::LongInt(digits)),
        }
    }

    fn text(
        &mut self,
        bytes: &mut Bytes<'a>,
        len: impl Fn(&mut Bytes<'a>) -> Option<usize>,
    ) -> Done<()> {
        let len = take(len(bytes))?;
        let text = std::str::from_utf8(take(bytes.take(len))?);
        self.push(Value::Text(text.map_err(|_| PickleFault::Text)?))
    }

    fn global_of_lines(&mut self, bytes: &mut Bytes<'a>) -> Done<()> {
        let module = utf8(take(bytes.line())?)?;
        let name = utf8(take(bytes.line())?)?;
        self.push(names::value(module, name)?)
    }

    fn global_of_stack(&mut self) -> Done<()> {
        let [name, module] = [self.pop("STACK_GLOBAL")?, self.pop("STACK_GLOBAL")?];
        match (self.pickle.text(module), self.pickle.text(name)) {
            (Some(module), Some(name)) => self.push(names::value(module, name)?),
            _ => Err(PickleFault::Operands("STACK_GLOBAL")),
        }
    }

    fn put(&mut self, index: u32) -> Done<()> {
        let top = self.pop("PUT")?;
        self.stack.push(top);
        self.memo.insert(index, top);
        Ok(())
    }

    fn fetch(&mut self, index: u32) -> Done<()> {
        let id = self.memo.get(&index).copied();
        self.stack_up(id.ok_or(PickleFault::Memo(index))?)
    }

    fn tuple_of(&mut self, len: usize) -> Done<()> {
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(self.pop("TUPLE")?);
        }
        items.reverse();
        self.push(Value::Tuple(items))
    }

    /// The value on top of the stack, to be changed in place.
    fn top(&mut self, name: &'static str) -> Done<&mut Value<'a>> {
        let id = self.pop(name)?;
        self.stack.push(id);
        let value = self.pickle.values.get_mut(id.0 as usize);
        value.ok_or(PickleFault::Operands(name))
    }

    fn append(&mut self, items: Vec<ValueId>) -> Done<()> {
        match self.top("APPENDS")? {
            Value::List(list) => list.extend(items),
            Value::Foreign(_) => {}
            _ => return Err(PickleFault::Operands("APPENDS")),
        }
        Ok(())
    }

    fn set_items(&mut self, items: Vec<ValueId>) -> Done<()> {
        if !items.len().is_multiple_of(2) {
            return Err(PickleFault::Operands("SETITEMS"));
        }
        match self.top("SETITEMS")? {
            Value::Dict(dict) => dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            Value::Foreign(_) => {}
            _ => return Err(PickleFault::Operands("SETITEMS")),
        }
        Ok(())
    }

    fn reduce(&mut self) -> Done<()> {
        let [arguments, function] = [self.pop("REDUCE")?, self.pop("REDUCE")?];
        let wrong = Err(PickleFault::Operands("REDUCE"));
        let Value::Tuple(items) = self.pickle.get(arguments) else {
            return wrong;
        };
        let global = match *self.pickle.get(function) {
            // What the call would give is as foreign as what was to be called.
            Value::Foreign(_) => return self.stack_up(function),
            Value::Global(global) => global,
            _ => return wrong,
        };
        match (global, items.as_slice()) {
            (Global::OrderedDict, []) | (Global::DefaultDict, [] | [_]) => {
                self.push(Value::Dict(Vec::new()))
            }
            (Global::OrderedDict, &[pairs]) => self.dict_of(pairs),
            (Global::Size | Global::RebuildParameter, &[first, ..]) => self.stack_up(first),
            (Global::RebuildTensor, _) => self.push(Value::Call(global, arguments)),
            (Global::RebuildFromType, &[constructor, _, arguments, ..]) => {
                self.stack_up(constructor)?;
                self.stack_up(arguments)?;
                self.reduce_once()
            }
            _ => wrong,
        }
    }

    /// The call inside of a call of `_rebuild_from_type_v2`, which may not be another one.
    fn reduce_once(&mut self) -> Done<()> {
        let nested = self.stack.iter().rev().nth(1).copied();
        let nested = nested.map(|id| self.pickle.get(id));
        match nested {
            Some(Value::Global(Global::RebuildFromType)) => Err(PickleFault::Operands("REDUCE")),
            _ => self.reduce(),
        }
    }

    /// Python 2's ordered dictionary: a list of pairs, which is moved, so that work stays linear.
    fn dict_of(&mut self, pairs: ValueId) -> Done<()> {
        let wrong = || PickleFault::Operands("REDUCE");
        let pairs = match self.pickle.values.get_mut(pairs.0 as usize) {
            Some(Value::List(pairs)) => std::mem::take(pairs),
            _ => return Err(wrong()),
        };
        let pairs = pairs.iter().map(|&pair| match self.pickle.sequence(pair) {
            Some(&[key, value]) => Some((key, value)),
            _ => None,
        });
        let items: Option<Vec<_>> = pairs.collect();
        self.push(Value::Dict(items.ok_or_else(wrong)?))
    }

    /// A new object of a class, from positional arguments and, in the second form, named ones.
    fn new_object(&mut self, named: bool) -> Done<()> {
        if named {
            self.pop("NEWOBJ_EX")?;
        }
        self.pop("NEWOBJ")?;
        let class = self.pop("NEWOBJ")?;
        self.instance(class)
    }

    /// The state of an OrderedDict is the metadata of its modules' versions, which no weight depends on.
    fn set_state(&mut self) -> Done<()> {
        self.pop("BUILD")?;
        match self.top("BUILD")? {
            Value::Dict(_) | Value::Foreign(_) | Value::Call(..) => Ok(()),
            _ => Err(PickleFault::Operands("BUILD")),
        }
    }
}

/// A value of one of Python's own types whose content has no bearing here.
const fn built_in<'a>(name: &'a str) -> Value<'a> {
    let module = "builtins";
    Value::Foreign(Foreign { module, name })
}

fn take<T>(read: Option<T>) -> Done<T> {
    read.ok_or(PickleFault::Truncated)
}

fn utf8(bytes: &[u8]) -> Done<&str> {
    std::str::from_utf8(bytes).map_err(|_| PickleFault::Text)
}

fn protocol(version: u8) -> Done<()> {
    if version > LAST_PROTOCOL {
        return Err(PickleFault::Protocol(version));
    }
    Ok(())
}

//! The legacy container: five pickles (magic number, protocol, system, object, storage keys), then each storage as
//! its number of elements (u64) and its bytes.

use super::storage::{StorageName, Storages};
use crate::convert::ConvertError;
use crate::convert::bytes::Bytes;
use crate::convert::dtype::Dtype;
use crate::convert::fault::TensorFault;
use crate::convert::pickle::{Pickle, PickleFault, Value, ValueId, run};
use crate::file_kind;
use std::collections::BTreeMap;

/// 0x1950a86a20f9469cfc6c, lowest byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

pub(super) fn read(file: &[u8]) -> Result<(Pickle<'_>, Storages<'_>), ConvertError> {
    let mut bytes = Bytes::new(file);
    header(&mut bytes).map_err(|error| match error {
        ConvertError::NotACheckpoint(None) => ConvertError::NotACheckpoint(file_kind::of(file)),
        error => error,
    })?;
    let pickle = run(&mut bytes)?;
    let keys = run(&mut bytes)?;
    let storages = storages(&mut bytes, &pickle, &keys)?;
    Ok((pickle, storages))
}

fn header(bytes: &mut Bytes<'_>) -> Result<(), ConvertError> {
    // Any file at all may come here; but one that tries to import something is worth naming.
    let magic = run(bytes).map_err(|error| match error {
        ConvertError::Pickle {
            fault: PickleFault::Global(_),
            ..
        } => error,
        _ => ConvertError::NotACheckpoint(None),
    })?;
    if *magic.root() != Value::LongInt(&MAGIC) {
        return Err(ConvertError::NotACheckpoint(None));
    }
    if *run(bytes)?.root() != Value::Int(PROTOCOL) {
        return Err(ConvertError::NotAStateDict("an unknown legacy protocol"));
    }
    let system = run(bytes)?;
    let Value::Dict(items) = system.root() else {
        return Err(ConvertError::NotAStateDict(
            "the legacy header is malformed",
        ));
    };
    let little = |&(key, value): &(ValueId, ValueId)| {
        system.text(key) == Some("little_endian") && *system.get(value) == Value::Bool(true)
    };
    if !items.iter().any(little) {
        return Err(ConvertError::NotAStateDict(
            "only little-endian storages are read",
        ));
    }
    Ok(())
}

/// The storages follow in the order of the list of keys; their element sizes are only in the object.
fn storages<'a>(
    bytes: &mut Bytes<'a>,
    pickle: &Pickle<'a>,
    keys: &Pickle<'a>,
) -> Result<Storages<'a>, ConvertError> {
    let dtypes = dtypes(pickle)?;
    let Value::List(list) = keys.root() else {
        return Err(ConvertError::NotAStateDict(
            "the list of storages is missing",
        ));
    };
    let mut storages = BTreeMap::new();
    for &key in list {
        let not_text = ConvertError::NotAStateDict("a storage's key is not text");
        let key = keys.text(key).ok_or(not_text)?;
        let dtype = dtypes.get(key).copied();
        let unused = ConvertError::NotAStateDict("a storage that no tensor uses");
        let content = content(bytes, dtype.ok_or(unused)?)?;
        if storages.insert(key.to_owned(), content).is_some() {
            return Err(ConvertError::Duplicate(format!("storage {key}")));
        }
    }
    Ok(Storages(storages))
}

fn dtypes<'a>(pickle: &Pickle<'a>) -> Result<BTreeMap<&'a str, Dtype>, ConvertError> {
    let mut dtypes = BTreeMap::new();
    for id in pickle.ids() {
        let Some(name) = StorageName::of(pickle, id) else {
            continue;
        };
        if *dtypes.entry(name.key).or_insert(name.dtype) != name.dtype {
            let key = format!("storage {}", name.key);
            let fault = TensorFault::NotAStorage;
            return Err(ConvertError::Tensor { key, fault });
        }
    }
    Ok(dtypes)
}

fn content<'a>(bytes: &mut Bytes<'a>, dtype: Dtype) -> Result<&'a [u8], ConvertError> {
    let offset = bytes.offset();
    let read = |bytes: &mut Bytes<'a>| {
        let elements = usize::try_from(bytes.u64()?).ok()?;
        bytes.take(elements.checked_mul(dtype.size())?)
    };
    let fault = PickleFault::Truncated;
    read(bytes).ok_or(ConvertError::Pickle { fault, offset })
}

//! The names that a pickle may import: what each becomes.

use super::{Foreign, Global, PickleFault, Value};
use crate::convert::dtype::Dtype;

/// Modules whose functions run programs, and functions that do. Nothing of a file is ever run here, but PyTorch itself
/// would run them: a file that asks for one is not worth reading.
const MODULES: [&str; 14] = [
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "runpy",
    "pty",
    "shutil",
    "socket",
    "importlib",
    "ctypes",
    "code",
    "webbrowser",
    "pickle",
];
const FUNCTIONS: [&str; 9] = [
    "eval",
    "exec",
    "execfile",
    "compile",
    "getattr",
    "setattr",
    "__import__",
    "open",
    "input",
];

/// The value that stands for an imported name.
pub(super) fn value<'a>(module: &'a str, name: &'a str) -> Result<Value<'a>, PickleFault> {
    if let Some(global) = known(module, name) {
        return Ok(Value::Global(global));
    }
    let package = module.split('.').next().unwrap_or_default();
    let built_in = matches!(package, "builtins" | "__builtin__");
    let runs = MODULES.contains(&package) || built_in && FUNCTIONS.contains(&name);
    if runs || (module, name) == ("torch", "load") {
        return Err(PickleFault::Global(format!("{module}.{name}")));
    }
    Ok(Value::Foreign(Foreign { module, name }))
}

fn known(module: &str, name: &str) -> Option<Global> {
    match (module, name) {
        ("collections", "OrderedDict") => Some(Global::OrderedDict),
        ("collections", "defaultdict") => Some(Global::DefaultDict),
        // The first version has the first four arguments of the second.
        ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Some(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            Some(Global::RebuildParameter)
        }
        ("torch._tensor", "_rebuild_from_type_v2") => Some(Global::RebuildFromType),
        ("torch", "Size") => Some(Global::Size),
        ("torch", storage) => Dtype::of_storage(storage).map(Global::Storage),
        _ => None,
    }
}

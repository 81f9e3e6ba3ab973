//! The exported surface as text, read from the metadata that uniffi leaves in the library. What the contract's panic
//! exports is left out: releases lack it.

use camino::Utf8Path;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{FieldMetadata, FnParamMetadata, Metadata, Type};

/// Name of the function that only the contract's build exports.
const CONTRACT_ONLY: &str = "contract_panic";

/// Returns the surface of a library, one item a line, sorted.
///
/// # Errors
/// When the file is no library with uniffi's metadata.
pub(crate) fn read(library: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = extract_from_library(library)?.iter().filter_map(line).collect();
    lines.sort();
    lines.dedup();
    anyhow::ensure!(!lines.is_empty(), "{library} exports nothing");
    Ok(lines)
}

fn line(item: &Metadata) -> Option<String> {
    Some(match item {
        Metadata::Func(f) if f.name == CONTRACT_ONLY => return None,
        Metadata::Func(f) => format!(
            "function {}{}",
            f.name,
            call(&f.inputs, f.return_type.as_ref(), f.throws.as_ref(), f.is_async)
        ),
        Metadata::Constructor(c) => {
            format!(
                "object {} constructor {}{}",
                c.self_name,
                c.name,
                call(&c.inputs, None, c.throws.as_ref(), c.is_async)
            )
        }
        Metadata::Method(m) => {
            let call = call(&m.inputs, m.return_type.as_ref(), m.throws.as_ref(), m.is_async);
            format!("object {} method {}{call}", m.self_name, m.name)
        }
        Metadata::TraitMethod(m) => {
            let call = call(&m.inputs, m.return_type.as_ref(), m.throws.as_ref(), m.is_async);
            format!("trait {} method {:02} {}{call}", m.trait_name, m.index, m.name)
        }
        Metadata::Record(r) => format!("record {} {{ {} }}", r.name, fields(&r.fields)),
        Metadata::Enum(e) => {
            let kind = if e.shape.is_error() { "error" } else { "enum" };
            let variants = e.variants.iter().map(|v| {
                if v.fields.is_empty() {
                    v.name.clone()
                } else {
                    format!("{} {{ {} }}", v.name, fields(&v.fields))
                }
            });
            format!("{kind} {} = {}", e.name, variants.collect::<Vec<_>>().join(" | "))
        }
        Metadata::Object(o) => format!("object {} ({:?})", o.name, o.imp),
        Metadata::CallbackInterface(c) => format!("callback {}", c.name),
        Metadata::CustomType(c) => format!("custom {} = {}", c.name, shown(&c.builtin)),
        Metadata::UniffiTrait(t) => format!("object {} trait {}", t.self_name(), t.name()),
        Metadata::ObjectTraitImpl(t) => format!("object trait {t:?}"),
        Metadata::Namespace(n) => format!("namespace {}", n.name),
        Metadata::UdlFile(_) => return None,
    })
}

fn call(inputs: &[FnParamMetadata], answer: Option<&Type>, throws: Option<&Type>, is_async: bool) -> String {
    let inputs: Vec<String> = inputs
        .iter()
        .map(|i| format!("{}: {}", i.name, shown(&i.ty)))
        .collect();
    let mut text = format!("({})", inputs.join(", "));
    if let Some(answer) = answer {
        text.push_str(&format!(" -> {}", shown(answer)));
    }
    if let Some(throws) = throws {
        text.push_str(&format!(" throws {}", shown(throws)));
    }
    if is_async {
        text.push_str(" async");
    }
    text
}

fn fields(fields: &[FieldMetadata]) -> String {
    fields
        .iter()
        .map(|f| format!("{}: {}", f.name, shown(&f.ty)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn shown(ty: &Type) -> String {
    match ty {
        Type::UInt8 => "u8".into(),
        Type::Int8 => "i8".into(),
        Type::UInt16 => "u16".into(),
        Type::Int16 => "i16".into(),
        Type::UInt32 => "u32".into(),
        Type::Int32 => "i32".into(),
        Type::UInt64 => "u64".into(),
        Type::Int64 => "i64".into(),
        Type::Float32 => "f32".into(),
        Type::Float64 => "f64".into(),
        Type::Boolean => "bool".into(),
        Type::String => "text".into(),
        Type::Bytes => "bytes".into(),
        Type::Timestamp => "timestamp".into(),
        Type::Duration => "duration".into(),
        Type::Object { name, .. }
        | Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::CallbackInterface { name, .. }
        | Type::Custom { name, .. } => name.clone(),
        Type::Box { inner_type } => shown(inner_type),
        Type::Optional { inner_type } => format!("{}?", shown(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", shown(inner_type)),
        Type::Set { inner_type } => format!("set[{}]", shown(inner_type)),
        Type::Map { key_type, value_type } => format!("map[{}: {}]", shown(key_type), shown(value_type)),
    }
}

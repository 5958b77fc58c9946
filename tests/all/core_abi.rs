//! `docs/core-abi.md`: how the core module is called, made from the contract, and held
//! to what the module in the component has.

use std::fmt::Write as _;

use wasmparser::WasmFeatures;
use wasmtime::{Engine, ExternType, Module};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, FunctionKind, Resolve, SizeAlign, Type, TypeDefKind, TypeId, WorldItem};

use crate::case::tests_directory;
use crate::purity::pinned;

const INTERFACE: &str = "imds:service/metadata@0.2.0";

/// The contract with the sizes of its types.
struct Contract {
    resolve: Resolve,
    sizes: SizeAlign,
}

impl Contract {
    fn read() -> Contract {
        let mut resolve = Resolve::default();
        resolve.push_dir(tests_directory().join("../wit")).expect("the contract can be read");
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        Contract { resolve, sizes }
    }

    fn functions(&self) -> Vec<&Function> {
        let (_, interface) =
            self.resolve.interfaces.iter().find(|(_, it)| it.name.as_deref() == Some("metadata")).expect("it is there");
        interface.functions.values().collect()
    }

    /// What a parameter is passed as: a name for each number, and its type.
    fn flat(&self, name: &str, ty: &Type, numbers: &mut Vec<(String, WasmType)>) {
        let number = |ty| vec![(name.to_owned(), ty)];
        let list =
            || vec![(format!("{name} address"), WasmType::Pointer), (format!("{name} length"), WasmType::Length)];
        match ty {
            Type::U64 => numbers.extend(number(WasmType::I64)),
            Type::F64 => numbers.extend(number(WasmType::F64)),
            Type::Bool | Type::U8 | Type::U16 | Type::U32 => numbers.extend(number(WasmType::I32)),
            Type::String => numbers.extend(list()),
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Type(ty) => self.flat(name, ty, numbers),
                TypeDefKind::List(_) => numbers.extend(list()),
                TypeDefKind::Enum(_) => numbers.extend(number(WasmType::I32)),
                TypeDefKind::Handle(_) => numbers.extend(number(WasmType::Pointer)),
                TypeDefKind::Option(ty) => {
                    numbers.push((format!("{name} is given"), WasmType::I32));
                    self.flat(name, ty, numbers);
                }
                TypeDefKind::Record(record) => {
                    for field in &record.fields {
                        self.flat(&field.name, &field.ty, numbers);
                    }
                }
                kind => panic!("{name}: no parameter is a {}", kind.as_str()),
            },
            ty => panic!("{name}: no parameter is a {ty:?}"),
        }
    }

    /// A type by its name in the contract.
    fn called(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else { return format!("{ty:?}").to_lowercase() };
        let named = &self.resolve.types[*id];
        match (&named.name, &named.kind) {
            (Some(name), _) => name.clone(),
            (None, TypeDefKind::List(ty)) => format!("list<{}>", self.called(ty)),
            (None, TypeDefKind::Option(ty)) => format!("option<{}>", self.called(ty)),
            (None, TypeDefKind::Handle(_)) => "handle".to_owned(),
            (None, TypeDefKind::Result(result)) => {
                let called = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.called(ty));
                format!("result<{}, {}>", called(&result.ok), called(&result.err))
            }
            (None, kind) => panic!("a {} without a name", kind.as_str()),
        }
    }

    /// The types that a result is made of, each before those that it is made of.
    fn reachable(&self, ty: &Type, types: &mut Vec<TypeId>) {
        let Type::Id(id) = ty else { return };
        let kind = &self.resolve.types[*id].kind;
        if matches!(kind, TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)) {
            // Where two records have it, it is behind both.
            types.retain(|other| other != id);
            types.push(*id);
        }
        match kind {
            TypeDefKind::Type(ty) | TypeDefKind::List(ty) | TypeDefKind::Option(ty) => self.reachable(ty, types),
            TypeDefKind::Record(record) => record.fields.iter().for_each(|field| self.reachable(&field.ty, types)),
            TypeDefKind::Result(result) => {
                result.ok.iter().chain(&result.err).for_each(|ty| self.reachable(ty, types));
            }
            _ => {}
        }
    }

    /// Where the parts of a type lie: offset, name and type.
    fn parts(&self, name: &str, at: usize, ty: &Type) -> Vec<(usize, String, String)> {
        let list =
            || vec![(at, format!("{name}: address"), "u32".into()), (at + 4, format!("{name}: length"), "u32".into())];
        let Type::Id(id) = ty else {
            return if *ty == Type::String { list() } else { vec![(at, name.to_owned(), self.called(ty))] };
        };
        let tagged = |flag: &str, cases: &[(&str, &Option<Type>)]| {
            let payload = at
                + self.sizes.payload_offset(wit_parser::Int::U8, cases.iter().map(|(_, ty)| ty.as_ref())).size_wasm32();
            let mut parts = vec![(at, format!("{name}: {flag}"), "u8".to_owned())];
            for (case, ty) in cases {
                let Some(ty) = ty else { continue };
                let name = if case.is_empty() { name.to_owned() } else { format!("{name}, {case}") };
                parts.extend(self.parts(&name, payload, ty));
            }
            parts
        };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Type(ty) => self.parts(name, at, ty),
            TypeDefKind::List(_) => list(),
            TypeDefKind::Option(ty) => tagged("1 where it is given, else 0", &[("", &None), ("", &Some(*ty))]),
            TypeDefKind::Result(result) => {
                tagged("0 for a result, 1 for an error", &[("a result", &result.ok), ("an error", &result.err)])
            }
            TypeDefKind::Handle(_) => vec![(at, name.to_owned(), "handle, u32".to_owned())],
            TypeDefKind::Enum(_) => vec![(at, name.to_owned(), format!("{}, u8", self.called(ty)))],
            TypeDefKind::Variant(variant) => {
                let cases: Vec<(&str, &Option<Type>)> =
                    variant.cases.iter().map(|case| (case.name.as_str(), &case.ty)).collect();
                tagged("its number", &cases)
            }
            TypeDefKind::Record(_) => vec![(at, name.to_owned(), self.called(ty))],
            kind => panic!("{name}: no result has a {}", kind.as_str()),
        }
    }

    fn functions_table(&self) -> String {
        let mut text = String::from("| function | parameters | result |\n| --- | --- | --- |\n");
        for function in self.functions() {
            let (numbers, result) = self.signature(function);
            let numbers: Vec<String> = numbers.iter().map(|(name, ty)| format!("{name} `{}`", number(*ty))).collect();
            let _ = writeln!(text, "| `{}` | {} | {result} |", function.name, numbers.join(", "));
        }
        text
    }

    /// The numbers that go in, and what comes out.
    fn signature(&self, function: &Function) -> (Vec<(String, WasmType)>, String) {
        let mut numbers = Vec::new();
        for parameter in &function.params {
            let name = if matches!(function.kind, FunctionKind::Method(_)) && parameter.name == "self" {
                "instance"
            } else {
                &parameter.name
            };
            self.flat(name, &parameter.ty, &mut numbers);
        }
        let signature = self.resolve.wasm_signature(AbiVariant::GuestExport, function);
        let types: Vec<WasmType> = numbers.iter().map(|(_, ty)| *ty).collect();
        assert_eq!(types, signature.params, "{}", function.name);
        assert!(signature.retptr && !signature.indirect_params, "{}", function.name);
        let result = function.result.as_ref().expect("all have a result");
        (numbers, format!("`{}`", self.called(result)))
    }

    fn layouts(&self) -> String {
        let mut text = String::new();
        let mut types = Vec::new();
        for function in self.functions() {
            let result = function.result.as_ref().expect("all have a result");
            self.reachable(result, &mut types);
        }
        let _ = writeln!(text, "### Results\n");
        let _ = writeln!(text, "| result | what lies at which offset |\n| --- | --- |");
        let mut written = Vec::new();
        for function in self.functions() {
            let result = function.result.as_ref().expect("all have a result");
            let called = self.called(result);
            if matches!(result, Type::Id(id) if types.contains(id)) || written.contains(&called) {
                continue;
            }
            let parts: Vec<String> = self
                .parts("", 0, result)
                .iter()
                .map(|(at, part, ty)| format!("{at}: {} (`{ty}`)", part.trim_start_matches([':', ',', ' '])))
                .collect();
            let _ = writeln!(text, "| `{called}` | {} |", parts.join("; "));
            written.push(called);
        }
        for id in types {
            let ty = &self.resolve.types[id];
            let (name, size) =
                (ty.name.as_deref().expect("it has a name"), self.sizes.size(&Type::Id(id)).size_wasm32());
            match &ty.kind {
                TypeDefKind::Record(record) => {
                    let _ =
                        writeln!(text, "\n### `{name}`, {size} bytes\n\n| offset | part | type |\n| --- | --- | --- |");
                    for (at, ty) in self.sizes.field_offsets(record.fields.iter().map(|field| &field.ty)) {
                        let field =
                            record.fields.iter().find(|field| std::ptr::eq(&field.ty, ty)).expect("it is of it");
                        for (at, part, ty) in self.parts(&field.name, at.size_wasm32(), ty) {
                            let _ = writeln!(text, "| {at} | {part} | {ty} |");
                        }
                    }
                }
                TypeDefKind::Variant(variant) => numbered(&mut text, name, variant.cases.iter().map(|case| &case.name)),
                TypeDefKind::Enum(cases) => numbered(&mut text, name, cases.cases.iter().map(|case| &case.name)),
                _ => {}
            }
        }
        text
    }
}

fn numbered<'n>(text: &mut String, name: &str, cases: impl Iterator<Item = &'n String>) {
    let cases: Vec<String> = cases.enumerate().map(|(number, case)| format!("{number} `{case}`")).collect();
    let _ = writeln!(text, "\n### `{name}`\n\n{}", cases.join(", "));
}

/// A type of the contract as WebAssembly has it.
fn number(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I64 => "i64",
        WasmType::F64 => "f64",
        WasmType::F32 => "f32",
        WasmType::I32 | WasmType::Pointer | WasmType::Length | WasmType::PointerOrI64 => "i32",
    }
}

/// The text between two lines of a document, as it is to be.
pub fn hold_section(document: &str, begin: &str, end: &str, section: &str) {
    let path = tests_directory().join("..").join(document);
    let text = std::fs::read_to_string(path).expect("the document can be read");
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{document} has no line {begin}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("{document} has no line {end}"));
    pinned(&format!("../{document}"), &format!("{before}{begin}\n\n{}\n\n{end}{after}", section.trim()));
}

/// `BLESS=1` writes the tables.
#[test]
fn the_tables_are_those_of_the_contract() {
    let contract = Contract::read();
    let tables = format!(
        "## Functions\n\nAll are exports called `{INTERFACE}#` and the name in the table. Each returns the address of its \
         result as an `i32`.\n\n{}\n## Where the parts of a result lie\n\nOffsets are in bytes. Where a part is a record, its \
         own table counts from there. What is not given holds no meaning.\n\n{}",
        contract.functions_table(),
        contract.layouts()
    );
    let begin = "<!-- made from wit/imds.wit by: BLESS=1 cargo test --workspace --test all -- core_abi -->";
    hold_section("docs/core-abi.md", begin, "<!-- end -->", &tables);
}

/// What came to WebAssembly after its first version, as engines call it.
const FEATURES: [(&str, WasmFeatures); 12] = [
    ("mutable globals", WasmFeatures::MUTABLE_GLOBAL),
    ("sign extension", WasmFeatures::SIGN_EXTENSION),
    ("saturating float to int", WasmFeatures::SATURATING_FLOAT_TO_INT),
    ("multi-value", WasmFeatures::MULTI_VALUE),
    ("bulk memory", WasmFeatures::BULK_MEMORY),
    ("reference types", WasmFeatures::REFERENCE_TYPES),
    ("SIMD", WasmFeatures::SIMD),
    ("tail calls", WasmFeatures::TAIL_CALL),
    ("exceptions", WasmFeatures::EXCEPTIONS),
    ("threads", WasmFeatures::THREADS),
    ("extended constants", WasmFeatures::EXTENDED_CONST),
    ("64-bit memories", WasmFeatures::MEMORY64),
];

/// `BLESS=1` writes the line.
#[test]
fn the_page_names_what_an_engine_must_know() {
    let is_valid = |features| wasmparser::Validator::new_with_features(features).validate_all(core_module()).is_ok();
    let all = FEATURES.iter().fold(WasmFeatures::WASM1, |all, (_, feature)| all | *feature);
    assert!(is_valid(all), "one of the list is missing");
    let needed = FEATURES.iter().filter(|(_, feature)| !is_valid(all.difference(*feature))).map(|(name, _)| *name);
    let needed =
        format!("Of what came after WebAssembly 1.0 the module needs: {}.", needed.collect::<Vec<_>>().join(", "));
    let (begin, end) = ("<!-- what the module needs -->", "<!-- end of what the module needs -->");
    hold_section("docs/core-abi.md", begin, end, &needed);
}

/// The module in the component, as a host without components has it.
fn core_module() -> &'static [u8] {
    let payloads = wasmparser::Parser::new(0).parse_all(imds_host::COMPONENT);
    let modules = payloads.filter_map(|payload| match payload.expect("it can be read") {
        wasmparser::Payload::ModuleSection { unchecked_range, .. } => Some(&imds_host::COMPONENT[unchecked_range]),
        _ => None,
    });
    modules.into_iter().next().expect("a module is in the component")
}

#[test]
fn the_module_imports_two_functions_and_has_those_of_the_tables() {
    let contract = Contract::read();
    let module = Module::new(&Engine::default(), core_module()).expect("it is a module");
    let imports: Vec<(&str, &str)> = module.imports().map(|import| (import.module(), import.name())).collect();
    let from = format!("[export]{INTERFACE}");
    assert_eq!(imports, [(&*from, "[resource-new]instance"), (&*from, "[resource-drop]instance")]);
    for function in contract.functions() {
        let (numbers, _) = contract.signature(function);
        let name = format!("{INTERFACE}#{}", function.name);
        let Some(ExternType::Func(export)) = module.get_export(&name) else { panic!("no function {name}") };
        let parameters: Vec<String> = export.params().map(|ty| ty.to_string()).collect();
        let expected: Vec<&str> = numbers.iter().map(|(_, ty)| number(*ty)).collect();
        assert_eq!(parameters, expected, "{name}");
        let frees = module.get_export(&format!("cabi_post_{name}")).is_some();
        assert_eq!(frees, function.name != "[method]instance.answer", "{name}");
    }
    for name in ["memory", "cabi_realloc", "imds:service/metadata@0.2.0#[dtor]instance"] {
        assert!(module.get_export(name).is_some(), "no {name}");
    }
    // The world has no other function.
    let (_, world) = contract.resolve.worlds.iter().next().expect("there is a world");
    assert!(world.imports.is_empty() && world.exports.values().all(|it| matches!(it, WorldItem::Interface { .. })));
}

//! The service's own layout of JSON: two spaces before each field, spaces on
//! both sides of the colon, no last line end.

/// A value in such a document.
pub enum Value {
    /// A string.
    Text(String),
    /// `null`.
    Null,
    /// An array of strings on one line; never empty.
    Texts(Vec<String>),
}

/// An object with its fields in the order given.
pub fn object(fields: &[(&str, Value)]) -> String {
    let mut document = String::from("{\n");
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            document.push_str(",\n");
        }
        document.push_str(&format!("  {} : ", quoted(name)));
        match value {
            Value::Text(text) => document.push_str(&quoted(text)),
            Value::Null => document.push_str("null"),
            Value::Texts(texts) => {
                let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                document.push_str(&format!("[ {} ]", quoted.join(", ")));
            }
        }
    }
    document.push_str("\n}");
    document
}

/// A string as JSON writes it.
pub fn quoted(text: &str) -> String {
    // A string has no case that fails.
    serde_json::to_string(text).unwrap_or_default()
}

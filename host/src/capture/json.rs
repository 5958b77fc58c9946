//! JSON text, in which some values are replaced and everything else stays as it was written.

/// JSON text in which `write` replaces texts and numbers whose name, or the name of an
/// object or list around them, satisfies `is_secret`, and with `outer` all of them. It gets
/// the name, the literal, and whether the name is the literal's own.
pub fn rewritten(
    text: &str,
    is_secret: fn(&str) -> bool,
    outer: Option<&str>,
    write: &mut dyn FnMut(&str, &str, bool) -> String,
) -> String {
    let mut out = String::with_capacity(text.len());
    // The secret names of the objects and lists around, and the name of the next value.
    let mut around = vec![outer.map(str::to_owned)];
    let mut name = None::<String>;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let secret = || name.clone().filter(|name| is_secret(name)).or_else(|| around.last().cloned().flatten());
        let length = match first {
            '"' => string_end(rest).unwrap_or(rest.len()),
            '-' | '0'..='9' => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let (literal, behind) = rest.split_at(length);
        match first {
            '"' if behind.trim_start().starts_with(':') => {
                name = serde_json::from_str(literal).ok();
                out.push_str(literal);
            }
            '"' | '-' | '0'..='9' => match secret().filter(|_| literal != "\"\"") {
                Some(found) => out += &write(&found, literal, name.is_some()),
                None => out.push_str(literal),
            },
            '{' | '[' => {
                let secret = secret();
                around.push(secret);
                name = None;
                out.push(first);
            }
            _ => {
                match first {
                    '}' | ']' => {
                        around.pop();
                        name = None;
                    }
                    ',' => name = None,
                    _ => {}
                }
                out.push(first);
            }
        }
        rest = behind;
    }
    out
}

/// The end of the JSON string that a text begins with.
pub fn string_end(text: &str) -> Option<usize> {
    let mut is_escaped = true;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return Some(place + 1),
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_below_secret_names_are_rewritten() {
        let text = r#"{ "a" : 1.5e3, "s":{"x":["\"y", -7, true], "z" : ""} , "s": 3, "t":[{"s":"u"}, "v"], "w": "s" }"#;
        let written = rewritten(text, |name| name == "s", None, &mut |name, literal, _| format!("<{name} {literal}>"));
        let expected = r#"{ "a" : 1.5e3, "s":{"x":[<s "\"y">, <s -7>, true], "z" : ""} , "s": <s 3>, "t":[{"s":<s "u">}, "v"], "w": "s" }"#;
        assert_eq!(written, expected);
        for garbage in ["", "\"", "{\"s\":\"", "]]]", "{\"s\": \"é", "-"] {
            rewritten(garbage, |_| true, Some(""), &mut |_, _, _| String::new());
        }
    }
}

//! A rendered configuration as a pod must have it: secrets out of the environment, and nothing that is the operator's (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use roxmltree::{Document, Node};

use super::key::{self, KeyForm, Tokens};
use crate::secret::SecretRef;

/// The operator opens these itself, and calls the server by the name of its pod.
const OPERATORS: [&str; 12] = [
    "listen_host",
    "listen_try",
    "http_port",
    "https_port",
    "tcp_port",
    "tcp_port_secure",
    "interserver_http_port",
    "interserver_https_port",
    "interserver_http_host",
    "path",
    "tmp_path",
    "display_name",
];

/// The operator writes entries of its own into these: ours go beside them.
const SHARED: [&str; 2] = ["macros", "remote_servers"];

/// No configuration that makes sense is deeper.
const DEEPEST: usize = 64;

/// The keys that a file takes out of the Secret.
pub(super) type Keys = BTreeMap<String, (SecretRef, KeyForm)>;

/// Writes a file anew; nothing where all that it says is the operator's.
pub(super) fn for_pods(text: &str, tokens: &Tokens, keys: &mut Keys) -> Result<Option<String>, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    let wanted = |child: &Node<'_, '_>| child.is_element() && !OPERATORS.contains(&child.tag_name().name());
    if !root.children().any(|child| wanted(&child)) {
        return Ok(None);
    }
    let mut writer = Writer { tokens, keys, out: String::new() };
    let _ = writeln!(writer.out, "<{}>", root.tag_name().name());
    for child in root.children().filter(wanted) {
        writer.element(child, &mut Vec::new(), 1)?;
    }
    let _ = writeln!(writer.out, "</{}>", root.tag_name().name());
    Ok(Some(writer.out))
}

struct Writer<'w> {
    tokens: &'w Tokens,
    keys: &'w mut Keys,
    out: String,
}

impl Writer<'_> {
    fn element<'d>(&mut self, node: Node<'d, 'd>, path: &mut Vec<&'d str>, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("it is more than {DEEPEST} elements deep"));
        }
        let name = node.tag_name().name();
        path.push(name);
        let indent = "  ".repeat(depth);
        let _ = write!(self.out, "{indent}<{name}");
        let is_shared = depth == 1 && SHARED.contains(&name);
        for attribute in node.attributes() {
            if self.tokens.is_in(attribute.value()) {
                return Err(format!("the attribute `{}` of `{}` is a secret", attribute.name(), path.join("/")));
            }
            // Of what is the operator's too, only our own entries are replaced.
            if !(is_shared && attribute.name() == "replace") {
                let _ = write!(self.out, " {}=\"{}\"", attribute.name(), escaped(attribute.value()));
            }
        }
        if depth == 2 && path.first() == Some(&"remote_servers") && node.attribute("replace").is_none() {
            self.out.push_str(" replace=\"replace\"");
        }
        let elements: Vec<_> = node.children().filter(Node::is_element).collect();
        let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
        if let Some((reference, form)) = self.tokens.read(&text) {
            let key = key::name(reference, form, path);
            match self.keys.get(&key) {
                Some(known) if *known != (reference.clone(), form) => {
                    return Err(format!("`{}` and `{reference}` would both be the key `{key}`", known.0));
                }
                _ => drop(self.keys.insert(key.clone(), (reference.clone(), form))),
            }
            let _ = writeln!(self.out, " from_env=\"{key}\"/>");
        } else if self.tokens.is_in(&text) {
            return Err(format!("a secret stands in the middle of `{}`", path.join("/")));
        } else if !elements.is_empty() {
            self.out.push_str(">\n");
            for child in elements {
                self.element(child, path, depth + 1)?;
            }
            let _ = writeln!(self.out, "{indent}</{name}>");
        } else if text.is_empty() {
            self.out.push_str("/>\n");
        } else {
            let _ = writeln!(self.out, ">{}</{name}>", escaped(&text));
        }
        path.pop();
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(text: &str) -> (Result<Option<String>, String>, Keys) {
        let tokens = Tokens::of(["env:A", "file:/b"].map(|text| SecretRef::parse(text).unwrap()));
        let value = |text: &str| tokens.store().get(&SecretRef::parse(text).unwrap()).unwrap().expose().clone();
        let text = text.replace("[A]", &value("env:A")).replace("[B]", &value("file:/b"));
        let text = text.replace("[A256]", &crate::secret::sha256_hex(value("env:A").as_bytes()));
        let mut keys = Keys::new();
        (for_pods(&text, &tokens, &mut keys), keys)
    }

    #[test]
    fn a_secret_comes_out_of_the_environment() {
        let (text, keys) = pods(
            "<clickhouse><users><m><password_sha256_hex>[A256]</password_sha256_hex></m></users>\
             <c><secret>[A]</secret><p a='1'>[B]</p><q>&lt;&amp;</q></c></clickhouse>",
        );
        let text = text.unwrap().unwrap();
        for part in [
            "<password_sha256_hex from_env=\"A_SHA256\"/>",
            "<secret from_env=\"A\"/>",
            "<p a=\"1\" from_env=\"C_P\"/>",
            "<q>&lt;&amp;</q>",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["A", "A_SHA256", "C_P"]);
    }

    #[test]
    fn a_secret_that_cannot_come_out_of_the_environment_is_refused() {
        for text in ["<c><a>Bearer [A]</a></c>", "<c><a b='[A]'/></c>", "<c><a>x[A256]</a></c>", "<c"] {
            assert!(pods(text).0.is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_the_operators_stays_the_operators() {
        assert_eq!(pods("<clickhouse><listen_host>::</listen_host><http_port>1</http_port></clickhouse>").0, Ok(None));
        let (text, _) = pods(
            "<clickhouse><http_port>1</http_port><remote_servers replace='replace'><a><shard/></a></remote_servers>\
             <macros replace='replace'><x>1</x></macros><zookeeper replace='replace'/></clickhouse>",
        );
        let expected = "<clickhouse>\n  <remote_servers>\n    <a replace=\"replace\">\n      <shard/>\n    </a>\n  \
                        </remote_servers>\n  <macros>\n    <x>1</x>\n  </macros>\n  <zookeeper replace=\"replace\"/>\n</clickhouse>\n";
        assert_eq!(text.unwrap().unwrap(), expected);
    }
}

//! How a value is written into a file: by the kind of file, which its template's name says (pure).

use crate::secret::{MARKER_END, MARKER_START};

/// What the names of XML templates end in.
pub(super) const XML_SUFFIX: &str = ".xml.tera";

/// How a secret's text is written into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As XML text.
    Xml,
    /// Within the double quotes of a YAML text.
    Yaml,
    /// Within the double quotes of a file that systemd reads by `EnvironmentFile`, for a value that ClickHouse takes by
    /// `from_env`: it reads it as XML (`ConfigProcessor` parses `<from_env>VALUE</from_env>`; without the escapes, 25.8 does not
    /// start with `&` or `<` in a password).
    FromEnv,
    /// Within the double quotes of such a file, for a value that its reader takes as it is.
    Environment,
    /// As it is.
    Plain,
}

impl Escape {
    /// What a template's values need.
    pub(super) fn of(template: &str) -> Self {
        let kinds = [
            (XML_SUFFIX, Self::Xml),
            (".yaml.tera", Self::Yaml),
            (".yml.tera", Self::Yaml),
            (".from_env.tera", Self::FromEnv),
            (".env.tera", Self::Environment),
        ];
        kinds.iter().find(|(suffix, _)| template.ends_with(suffix)).map_or(Self::Plain, |(_, escape)| *escape)
    }

    /// A text as the file must have it.
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Xml => quick_xml::escape::escape(text).into_owned(),
            // Every escape of JSON is one of YAML's double quotes: https://yaml.org/spec/1.2.2/#57-escaped-characters
            Self::Yaml => {
                let quoted = serde_json::Value::from(text).to_string();
                let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                inner.unwrap_or_default().to_owned()
            }
            Self::FromEnv => Self::Environment.apply(&quick_xml::escape::partial_escape(text)),
            Self::Environment => {
                text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
                    // SHELL_NEED_ESCAPE of systemd's `parse_env_file`; any other backslash would stay one.
                    if matches!(c, '"' | '\\' | '`' | '$') {
                        out.push('\\');
                    }
                    out.push(c);
                    out
                })
            }
            Self::Plain => text.to_owned(),
        }
    }

    /// The same, except that a secret's marker stays as it is: its value is escaped when it is put in.
    pub(super) fn around_markers(self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(start) = rest.find(MARKER_START) {
            let end = rest[start..].find(MARKER_END).map_or(rest.len(), |at| start + at + MARKER_END.len_utf8());
            out.push_str(&self.apply(&rest[..start]));
            out.push_str(&rest[start..end]);
            rest = &rest[end..];
        }
        out.push_str(&self.apply(rest));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_its_file_is_read() {
        let text = "a\"b\\c$d`e<&\n\u{1}";
        assert_eq!(Escape::of("a/b.xml.tera").apply("<&\""), "&lt;&amp;&quot;");
        assert_eq!(Escape::of("a/b.yaml.tera").apply(text), "a\\\"b\\\\c$d`e<&\\n\\u0001");
        assert_eq!(Escape::of("a/b.from_env.tera").apply(text), "a\\\"b\\\\c\\$d\\`e&lt;&amp;\n\u{1}");
        assert_eq!(Escape::of("a/b.env.tera").apply(text), "a\\\"b\\\\c\\$d\\`e<&\n\u{1}");
        assert_eq!(Escape::of("a/b.service.tera").apply(text), text);
    }

    #[test]
    fn a_marker_is_never_escaped() {
        let text = format!("<{MARKER_START}env:<{MARKER_END}>{MARKER_START}<");
        let escaped = format!("&lt;{MARKER_START}env:<{MARKER_END}&gt;{MARKER_START}<");
        assert_eq!(Escape::Xml.around_markers(&text), escaped);
    }
}

//! What the server does, tried on it (25.8.2.1), written as XML in one line.

use super::*;

fn merged(files: &[(&str, &str)]) -> Result<String, String> {
    effective(files, &[]).map(|made| flat(made.tree.whole().expose()))
}

fn effective(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Effective, String> {
    let texts: Vec<_> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Secret::new(bytes::Bytes::from((*text).to_owned()))))
        .collect();
    let sources = Sources {
        main: files.first().map_or("/c/config.xml", |(path, _)| *path),
        files: texts.iter().map(|(path, text)| (path.as_str(), text)).collect(),
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())))
            .collect(),
        unknown: Unknown::Absent,
    };
    sources.effective().map_err(|error| match std::error::Error::source(&error) {
        Some(source) if matches!(error, EffectiveError::Read { .. }) => format!("{error}: {source}"),
        _ => error.to_string(),
    })
}

fn flat(xml: &str) -> String {
    let lines: String = xml.lines().map(str::trim).collect();
    lines.replace("<clickhouse>", "").replace("</clickhouse>", "")
}

fn both(base: &str, with: &str) -> String {
    let root = |text: &str| format!("<clickhouse>{text}</clickhouse>");
    let answer = merged(&[("/c/config.xml", &root(base)), ("/c/config.d/a.xml", &root(with))]);
    answer.unwrap_or_else(|error| error)
}

#[test]
fn elements_meet_by_name_attributes_and_order() {
    for (base, with, expected) in [
        ("<a>1</a>", "<a>2</a>", "<a>2</a>"),
        ("<a>5</a>", "<a/>", "<a/>"),
        ("<a>1</a><a>2</a><a>3</a>", "<a>x</a><a>y</a>", "<a>x</a><a>y</a><a>3</a>"),
        ("<a x='1'>1</a><a>2</a>", "<a>x</a><a x='1' y='2'>y</a>", "<a x=\"1\">1</a><a>x</a><a x=\"1\" y=\"2\">y</a>"),
        ("<a><x>1</x></a>", "<a remove='1'/><a><y/></a>", "<a><y/></a>"),
        ("<a>5</a>", "<a replace='1'><b remove='1'>2</b></a>", "<a replace=\"1\"><b remove=\"1\">2</b></a>"),
        ("", "<c replace='1'><b remove='1'/><d replace='2'>4</d></c>", "<c replace=\"1\"><d>4</d></c>"),
        ("<a>x<![CDATA[<y]]></a>", "<a>z</a>", "<a>&lt;yz</a>"),
        ("<a from_env='E'/>", "<a>x</a>", "<a>x</a>"),
        ("", "<a remove='1'/>", ""),
        (
            "",
            "<a\nremove='1' replace='1'/>",
            "`/c/config.d/a.xml`, line 1: element `a` has both `remove` and `replace`",
        ),
    ] {
        assert_eq!(both(base, with), expected, "{base} with {with}");
    }
}

//! What the server does, tried on it (25.8.2.1), written as XML in one line.

use std::collections::BTreeSet;

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
        ("<b/>", "<a remove='1'/>", "<b/>"),
        (
            "",
            "<a\nremove='1' replace='1'/>",
            "`/c/config.d/a.xml`, line 1: element `a` has both `remove` and `replace`",
        ),
    ] {
        assert_eq!(both(base, with), expected, "{base} with {with}");
    }
}

/// What Keeper holds is asked of it by the server only; `clickhouse extract-from-config` without it says the same.
#[test]
fn what_keeper_holds_stays_unknown() {
    let made = both("<a from_zk='/x'/><b from_zk='/x' replace='1'>default</b>", "");
    assert_eq!(made, "<a from_zk=\"/x\"/><b from_zk=\"/x\" replace=\"1\">default</b>");
    let refused = both("<a from_zk='/x'>5</a>", "");
    assert_eq!(refused, "`/c/config.xml`, line 1: element `a` has a value and a substitution, and no `replace`");
}

#[test]
fn what_is_not_known_stays_where_it_may_be_there() {
    let main = "<clickhouse><include_from>/s.xml</include_from><a from_env='A' replace='1'>5</a><b incl='b' optional='1'/></clickhouse>";
    let text = Secret::new(bytes::Bytes::from(main));
    let sources = Sources { main: "/c/config.xml", files: [("/c/config.xml", &text)].into(), ..Sources::default() };
    let made = sources.effective().unwrap();
    assert_eq!(
        flat(made.tree.whole().expose()),
        "<include_from>/s.xml</include_from><a from_env=\"A\" replace=\"1\">5</a><b incl=\"b\" optional=\"1\"/>"
    );
    let notes: Vec<_> = made.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "/c/config.xml:1: `include_from`: `include_from` names `/s.xml`, which is not known",
            "/c/config.xml:1: `a`: the environment variable `A` is not known",
            "/c/config.xml:1: `b`: `incl` names `b`, which is not known",
        ]
    );
}

#[test]
fn no_secret_is_shown() {
    let files = [(
        "/c/config.xml",
        "<clickhouse><a from_env='A'/><p><password>hunter2</password></p><h hide_in_preprocessed='1'><i>hunter3</i></h><u>https://x:hunter5@y</u></clickhouse>",
    )];
    let made = effective(&files, &[("A", "hunter4")]).unwrap();
    let keys = made.tree.keys(Attributes::Merged);
    let shown: Vec<_> = keys.entries.iter().map(|entry| format!("{}={}", entry.path, entry.shown())).collect();
    assert_eq!(
        shown,
        ["a=‹secret›", "p/password=‹secret›", "h/@hide_in_preprocessed=‹secret›", "h/i=‹secret›", "u=‹secret›"]
    );
    assert_eq!(made.tree.masked(&BTreeSet::new()).matches("‹secret›").count(), 5);
    assert!(!format!("{}{made:?}{keys:?}", made.tree.masked(&BTreeSet::new())).contains("hunter"));
    let broken = effective(&[("/c/config.xml", "<clickhouse><a>&hunter2;</a></clickhouse>")], &[]).unwrap_err();
    assert_eq!(broken, "cannot read `/c/config.xml`: this is no well-formed XML (line 1, column 16)");
    let broken = effective(&[("/c/config.yaml", "a: 'hunter2\nb: {")], &[]).unwrap_err();
    assert!(broken.starts_with("cannot read `/c/config.yaml`: this is no well-formed YAML (line"), "{broken}");
}

#[test]
fn more_than_is_read_is_refused() {
    let deep = format!("<clickhouse>{}{}</clickhouse>", "<a>".repeat(300), "</a>".repeat(300));
    let wide = format!("<clickhouse>{}</clickhouse>", "<a/>".repeat(1_000_001));
    let large = format!("<clickhouse>{}</clickhouse>", " ".repeat(17 << 20));
    let bomb =
        ('b'..='j').zip('a'..).fold("a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |bomb, (name, last)| {
            let copies = vec![format!("*{last}"); 10].join(", ");
            format!("{bomb}{name}: &{name} [{copies}]\n")
        });
    let nested = format!("{}{}", "[".repeat(300), "]".repeat(300));
    for (path, text, why) in [
        ("/c/config.xml", deep, "its elements are nested deeper than 200"),
        ("/c/config.xml", wide, "it has more than 1000000 elements and texts"),
        ("/c/config.xml", large, "it is larger than 16 MiB"),
        ("/c/config.yaml", bomb, "it has more than 1000000 elements and texts"),
        ("/c/config.yaml", nested, "its elements are nested deeper than 200"),
    ] {
        assert_eq!(effective(&[(path, &text)], &[]).unwrap_err(), format!("cannot read `{path}`: {why}"));
    }
    let circle = "<clickhouse><include_from>/s.xml</include_from><a incl='a'/></clickhouse>";
    for from in ["<s><a incl='a'/></s>", "<s><a><b incl='a'/></a></s>", "<s><a><b incl='a'/><b incl='a'/></a></s>"] {
        let refused = effective(&[("/c/config.xml", circle), ("/s.xml", from)], &[]).unwrap_err();
        assert!(refused.starts_with("the configuration of `/c/config.xml` is not merged: its "), "{from}: {refused}");
    }
}

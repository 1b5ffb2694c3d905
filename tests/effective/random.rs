//! Random configuration trees: few names, so that elements meet, and every attribute that the merge knows.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;

use super::tree::Written;

/// The environment that every tree has, since one process merges them all.
const ENVIRONMENT: [(&str, &str); 4] =
    [("HW_WORD", "word"), ("HW_XML", "<p>1</p><q from_env=\"HW_WORD\"/>"), ("HW_NOTHING", ""), ("HW_BROKEN", "a<b")];

/// A main file, up to three parts, and a file of substitutions.
pub fn tree() -> impl Strategy<Value = Written> {
    let part = prop_oneof![
        Just("config.d/a.xml"),
        Just("config.d/B.XML"),
        Just("conf.d/z.xml"),
        Just("config.d/c.conf"),
        Just("config.d/.hidden.xml"),
        Just("config.d/n.txt"),
    ];
    let parts = vec((part, file()), 0..4);
    let includes = prop_oneof![3 => Just(""), 2 => Just("<include_from>{here}/from.xml</include_from>")];
    let from = vec(element(3), 0..3).prop_map(|inside| format!("<from>{}</from>", inside.concat()));
    (vec(element(3), 0..5), parts, includes, from).prop_map(|(main, parts, includes, from)| {
        let mut written = Written::default();
        written.files.insert("config.xml".to_owned(), format!("<clickhouse>{includes}{}</clickhouse>", main.concat()));
        written.files.insert("from.xml".to_owned(), from);
        written.files.extend(parts.into_iter().map(|(path, text)| (path.to_owned(), text)));
        written.environment =
            ENVIRONMENT.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        written
    })
}

fn file() -> impl Strategy<Value = String> {
    let root = prop_oneof![12 => Just("clickhouse"), 4 => Just("yandex"), 1 => Just("other")];
    (root, vec(element(3), 0..5)).prop_map(|(root, inside)| format!("<{root}>\n{}</{root}>", inside.concat()))
}

fn element(depth: u32) -> BoxedStrategy<String> {
    let name = Union::new_weighted(
        [(5, "a"), (5, "b"), (3, "shard"), (2, "c")].map(|(weight, name)| (weight, Just(name))).to_vec(),
    );
    let inside = if depth == 0 {
        text().prop_map(str::to_owned).boxed()
    } else {
        prop_oneof![2 => text().prop_map(str::to_owned), 3 => vec(element(depth - 1), 0..4).prop_map(|inside| inside.concat()),
            1 => (text(), element(depth - 1), text()).prop_map(|(one, two, three)| format!("{one}{two}{three}"))]
        .boxed()
    };
    let full = (name, attributes(), inside).prop_map(|(name, attributes, inside)| match inside.is_empty() {
        true => format!("<{name}{attributes}/>"),
        false => format!("<{name}{attributes}>{inside}</{name}>"),
    });
    let substituted = (substitution(), prop::bool::weighted(0.3), prop::bool::weighted(0.2)).prop_map(
        |(substitution, replace, optional)| {
            let replace = if replace { " replace='1'>body</b>" } else { "></b>" };
            format!("<b {substitution}{}{replace}", if optional { " optional='true'" } else { "" })
        },
    );
    let include = (substitution(), prop::bool::weighted(0.5)).prop_map(|(substitution, merge)| {
        format!("<include {substitution}{}/>", if merge { " merge='true'" } else { "" })
    });
    prop_oneof![12 => full, 2 => substituted, 1 => include].boxed()
}

fn attributes() -> impl Strategy<Value = String> {
    let one = Union::new_weighted(
        [
            (3, " x='1'"),
            (2, " x='2'"),
            (2, " y='&lt;&#10;'"),
            (4, " replace='1'"),
            (3, " remove='1'"),
            (1, " hide_in_preprocessed='true'"),
            (1, " optional='true'"),
            (1, " from_env='HW_WORD'"),
            (1, " incl='a'"),
        ]
        .map(|(weight, text)| (weight, Just(text)))
        .to_vec(),
    );
    let pair = (one.clone(), one.clone()).prop_map(|(one, two)| {
        let name = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
        if name(one) == name(two) { one.to_owned() } else { format!("{one}{two}") }
    });
    prop_oneof![10 => Just(String::new()), 4 => one.prop_map(str::to_owned), 1 => pair]
}

fn substitution() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        3 => Just("from_env='HW_WORD'"),
        2 => Just("from_env='HW_XML'"),
        1 => Just("from_env='HW_NOTHING'"),
        1 => Just("from_env='HW_ABSENT'"),
        1 => Just("from_env='HW_BROKEN'"),
        3 => Just("incl='a'"),
        2 => Just("incl='a/b'"),
        1 => Just("incl='shard'"),
    ]
}

fn text() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(""),
        4 => Just("1"),
        3 => Just("two"),
        1 => Just(" 3 "),
        1 => Just("\n  "),
        1 => Just("&lt;&amp;é"),
        1 => Just("<!-- c -->"),
        1 => Just("<![CDATA[<4>]]>"),
        1 => Just("5<!-- c -->6"),
    ]
}

//! Secrets in rendered and in observed text.

use housewright::render::{Content, changed_secrets, mask, render};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fleets::{all_secrets, one_file, shown};

fn rendered(template: &str, vars: &Value, secret: &str) -> Content {
    let (fleet, templates) = one_file(template, vars);
    let desired = render(&fleet, &templates.unwrap(), &all_secrets(&fleet, secret));
    let desired = desired.unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    desired.values().next().unwrap().files.values().next().unwrap().content.clone()
}

#[test]
fn values_and_secrets_are_escaped_for_xml() {
    let vars = json!({"name": "a<b & \"c\"", "password": {"from_secret": "file:/a&b"}});
    let content = rendered("<a><n>{{ name }}</n><p>{{ password }}</p></a>", &vars, "x<y&z");
    assert_eq!(content.shown(), "<a><n>a&lt;b &amp; &quot;c&quot;</n><p>‹file:/a&amp;b›</p></a>");
    assert_eq!(content.bytes().expose(), "<a><n>a&lt;b &amp; &quot;c&quot;</n><p>x&lt;y&amp;z</p></a>".as_bytes());
}

const TEMPLATE: &str =
    "<a>\n  <k>{{ key }}</k>\n  <password>{{ password }}</password>\n  <sasl_password>literal</sasl_password>\n</a>\n";

fn content(secret: &str) -> Content {
    let vars = json!({"key": {"from_secret": "env:KEY"}, "password": {"from_secret": "env:PASSWORD"}});
    rendered(TEMPLATE, &vars, secret)
}

#[test]
fn an_unchanged_file_has_no_difference_when_masked() {
    let content = content("tops3cret<&>");
    assert_eq!(mask(content.bytes().expose(), &content), content.shown());
}

#[test]
fn another_secret_is_a_difference_that_shows_neither() {
    let observed = "<a>\n    <k>oldkey</k>\n  <password>oldone</password>\n  <sasl_password>other</sasl_password>\n  \
                    <b>tops3cret</b><!-- <password>older -->\n</a>\n";
    insta::assert_snapshot!(mask(observed.as_bytes(), &content("tops3cret")), @r"
    <a>
        <k>‹another value›</k>
      <password>‹another value›</password>
      <sasl_password>‹another value›</sasl_password>
      <b>‹env:PASSWORD›</b><!-- <password>‹another value›
    ");
}

#[test]
fn a_cluster_that_is_called_secret_is_shown() {
    let vars = json!({"s": {"from_secret": "env:S"}});
    let text =
        "<a>\n<top_secret>\n<host>h</host><secret>{{ s }}</secret></top_secret><password><![CDATA[x]]></password></a>";
    let content = rendered(text, &vars, "current-one");
    let expected =
        "<a>\n<top_secret>\n<host>h</host><secret>‹env:S›</secret></top_secret><password>‹hidden›</password></a>";
    assert_eq!(content.shown(), expected);
    assert_eq!(mask(content.bytes().expose(), &content), expected);
}

#[test]
fn attributes_headers_and_urls_are_hidden_too() {
    let vars = json!({"s": {"from_secret": "env:S"}});
    let text = "<a>\n<x password=\"literal\" port='1'/><key>literal</key>\n<header>Authorization: Basic literal</header>\n\
                <headers><header><name>X-Thing</name><value>literal</value></header></headers>\n\
                <url>https://u:literal@h/x</url><endpoint at=\"https://u:literal@h\"/>\n\
                <url>https://u:{{ s }}@h</url><b secret=\"{{ s }}\">text</b>\n<!-- Authorization: Bearer literal -->\n</a>\n";
    let content = rendered(text, &vars, "current-one");
    insta::assert_snapshot!(content.shown(), @r#"
    <a>
    <x password="‹hidden›" port='1'/><key>‹hidden›</key>
    <header>‹hidden›</header>
    <headers><header><name>X-Thing</name><value>‹hidden›</value></header></headers>
    <url>‹hidden›</url><endpoint at="‹hidden›"/>
    <url>‹hidden›</url><b secret="‹env:S›">text</b>
    <!--‹hidden›-->
    </a>
    "#);
    assert!(roxmltree::Document::parse(content.shown()).is_ok());
    assert_eq!(mask(content.bytes().expose(), &content), content.shown());
    let other = String::from_utf8(content.bytes().expose().to_vec()).unwrap().replace("literal", "older-one");
    let masked = mask(other.replace("current-one", "newer-one").as_bytes(), &content);
    assert!(!masked.contains("older-one") && !masked.contains("newer-one"), "{masked}");
}

#[test]
fn lines_of_other_files_are_hidden_behind_a_secrets_name() {
    let vars = json!({"s": {"from_secret": "env:S"}});
    let text = "PORT=1\nPASSWORD=literal\nTOKEN={{ s }}\n<password>literal</password>\n";
    let (fleet, templates) = super::fleets::one_plain_file(text, &vars);
    let desired = render(&fleet, &templates.unwrap(), &all_secrets(&fleet, "current-one")).unwrap();
    let content = desired.values().next().unwrap().files.values().next().unwrap().content.clone();
    assert_eq!(content.shown(), "PORT=1\nPASSWORD=‹hidden›\nTOKEN=‹env:S›\n<password>‹hidden›</password>\n");
    assert_eq!(mask(content.bytes().expose(), &content), content.shown());
    let masked = mask(b"PORT=2\nPASSWORD=older-one\nTOKEN=older-one\n", &content);
    assert_eq!(masked, "PORT=2\nPASSWORD=‹another value›\nTOKEN=‹another value›\n");
}

#[test]
fn bytes_that_are_no_text_are_counted() {
    assert_eq!(mask(&[0xff, 0xfe], &content("x")), "‹not text: 2 bytes›\n");
}

proptest! {
    #[test]
    fn no_observed_text_shows_a_current_secret(
        secret in "[A-Za-z0-9<>&'\" ]{1,3}[A-Za-z0-9]{6,12}",
        parts in proptest::collection::vec(prop_oneof![
            "[ -~\n]{0,20}", Just("\u{0}".to_owned()), Just("<password>".to_owned()), Just("</password>".to_owned()),
            Just("  <k>".to_owned()), Just("</k>\n".to_owned()),
        ], 0..12),
    ) {
        let content = content(&secret);
        let escaped = quick_xml::escape::escape(secret.as_str()).into_owned();
        for form in [&secret, &escaped] {
            let observed = parts.join("").replace('\u{0}', form);
            let masked = mask(observed.as_bytes(), &content);
            prop_assert!(!masked.contains(&secret) && !masked.contains(&escaped), "{masked}");
        }
    }

    #[test]
    fn no_older_secret_in_a_known_place_is_shown(old in "[A-Za-z0-9]{8,16}") {
        let observed = format!("<a>\n   <k>{old}</k>\n  <password>{old}</password>\n<password>\n{old}\n");
        prop_assert!(!mask(observed.as_bytes(), &content("current-one")).contains(&old));
    }

    #[test]
    fn any_variables_render_to_xml_that_parses(
        settings in proptest::collection::btree_map("[a-z_]{1,6}", "[ -~é]{0,12}", 0..5),
    ) {
        let content = rendered("<a>{{ settings | elements }}</a>", &json!({"settings": settings}), "x");
        prop_assert!(roxmltree::Document::parse(content.shown()).is_ok());
    }
}

#[test]
fn a_secret_that_changes_is_named_and_no_other() {
    let content = content("tops3cret");
    let is = "<a>\n  <k>oldkey</k>\n  <password>tops3cret</password>\n  <sasl_password>literal</sasl_password>\n</a>\n";
    let changed = |observed: &str| {
        let [before, after] = [observed.as_bytes(), content.bytes().expose()].map(|text| mask(text, &content));
        changed_secrets(&before, &after, &content).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(changed(is), ["env:KEY"]);
    assert_eq!(changed(&is.replace("tops3cret", "older")), ["env:KEY", "env:PASSWORD"]);
    // It comes: the difference has it, and nothing changes.
    assert_eq!(changed("<a>\n</a>\n"), Vec::<String>::new());
    assert_eq!(changed(std::str::from_utf8(content.bytes().expose()).unwrap()), Vec::<String>::new());
}

//! What goes wrong with expressions, and what is said about it.

use serde_json::json;

use super::*;
use crate::secret::SecretRef;

fn scope() -> Values {
    let secret = SecretRef::Env("PASSWORD".to_owned()).marker();
    let values = json!({
        "name": "data-1", "port": 9000, "list": ["a", "b"], "map": { "host": "h", "password": secret },
        "password": secret, "none": null,
    });
    let entries = values.as_object().cloned().unwrap_or_default();
    entries.iter().map(|(name, value)| (name.clone(), from_json(value))).collect()
}

/// What is said of every secret that would be computed on.
const COMPUTES: &str = " would have to compute on a secret, and secrets are only put in place (put the secret into a text as it is, or keep the computed value as a secret of its own)";

/// `Kind at text: message (hint)`.
fn wrong(text: &str) -> String {
    let said = match Template::new(text).and_then(|template| template.value(&scope())) {
        Ok(value) => format!("gives {}", to_json(&value)),
        Err(wrong) => {
            let at = text.get(wrong.span.clone()).unwrap_or("?");
            let hint = wrong.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{:?} at {at:?}: {}{hint}", wrong.kind, wrong.message)
        }
    };
    crate::secret::mask_markers(&said).replace(COMPUTES, "...")
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    insta::assert_snapshot!(
        [
            "{{ nmae }}",
            "x {{ name ~ prot }}",
            "{{ map.hots }}",
            "{{ list[7] }}",
            "{{ port | uper }}",
            "{{ port is defind }}",
            "{{ name.splitt('-') }}",
            "{{ rang(3) }}",
            "{{ lookup('env', 'HOME') }}",
            "{{ '10.0.0.1/24' | ipaddr('network') }}",
            "{{ name | password_hash }}",
            "{{ ansible_default_ipv4.address }}",
            "{{ play_hosts }}",
            "{{ name + 1 }}",
            "{{ name < 1 }}",
            "{{ 1 / 0 }}",
            "{{ name | regex_replace('(', '') }}",
            "{{ name | regex_replace('(?=x)', '') }}",
            "{{ name | from_json }}",
            "{{ name | replace('a') }}",
            "{{ name | upper(1) }}",
            "{{ list | join(',', nope=1) }}",
            "{{ 'a' if false }}",
            "{{ name ",
            "{{ name | }}",
            "{% if name %}",
            "{% include 'x' %}",
            "{% macro a() %}{% endmacro %}",
            "{{ range(9999999999) }}",
            "{{ 'x' * 99999999 }}",
            "{% for a in range(2000) %}{% for b in range(2000) %}{{ a }}{% endfor %}{% endfor %}",
            "{{ '%999999d' | format(1) }}",
            "{{ 10 ** 1000 }}",
        ]
        .map(wrong)
        .join("\n"),
        @r##"
        Undefined at "nmae": `nmae` is not defined (did you mean `name`?)
        Undefined at "prot": `prot` is not defined (did you mean `port`?)
        Undefined at "map.hots": the mapping has no key `hots` (did you mean `host`?)
        Undefined at "list[7]": the list has no item `7`: it has 2
        Unknown at "uper": there is no filter `uper` (did you mean `upper`?)
        Unknown at "defind": there is no test `defind` (did you mean `defined`?)
        Unknown at ".splitt('-')": there is no method `splitt` (did you mean `split`?)
        Unknown at "rang(3)": there is no function `rang` (did you mean `range`?)
        Unsupported at "lookup('env', 'HOME')": the function `lookup` is not read in an inventory (the meaning of an inventory may not depend on hidden input: for a secret write `{ from_secret: env:NAME }` or `{ from_secret: file:PATH }`, else write the value itself)
        Unsupported at "ipaddr('network')": the filter `ipaddr` is not read in an inventory (addresses are not computed: write the network as a variable of its own, or take it apart with `split('.')`)
        Unsupported at "password_hash": the filter `password_hash` is not read in an inventory (secrets are not computed on: keep the result as a secret of its own, `{ from_secret: file:PATH }`)
        Undefined at "ansible_default_ipv4": `ansible_default_ipv4` is not defined (facts are asked from the hosts when Ansible runs: write the value into the inventory)
        Undefined at "play_hosts": `play_hosts` is not defined (it belongs to Ansible's plays: an inventory has `groups`, `group_names`, `hostvars`, `inventory_hostname`)
        Failed at "name + 1": `+` does not take a text and a number
        Failed at "name < 1": a text and a number have no order
        Failed at "1 / 0": division by zero
        Failed at "regex_replace('(', '')": `(` is no regular expression: unclosed group
        Unsupported at "regex_replace('(?=x)', '')": the regular expression `(?=x)` uses look-around or a back-reference (write it without: they can take unbounded time, and are not read)
        Failed at "from_json": `from_json` takes JSON: expected value at line 1 column 1
        Failed at "replace('a')": `replace` takes the old and the new text
        Failed at "upper(1)": the filter `upper`: too many arguments
        Failed at "join(',', nope=1)": `join` has no argument `nope`
        Undefined at "'a' if false": the condition is false and there is no `else` (say what holds then: `... else ''`)
        Syntax at "name": unexpected end of input, expected end of variable block
        Syntax at "}}": unexpected end of variable block, expected identifier
        Syntax at "%}": unexpected end of input, expected end of block
        Syntax at "include": unknown statement include
        Syntax at "macro": unknown statement macro
        TooMuch at "range(9999999999)": the expression takes too many steps (write the value itself, or make a list of it)
        TooMuch at "'x' * 99999999": the expression makes too long a text (write the value itself, or make a list of it)
        TooMuch at "": the expression takes too many steps (write the value itself, or make a list of it)
        TooMuch at "format(1)": the expression makes too long a text (write the value itself, or make a list of it)
        Failed at "10 ** 1000": the number is too large
        "##
    );
}

/// A tag of an instance is text that somebody else writes: decoding it must not name a file to read or a command to run.
#[test]
fn no_computation_makes_the_reference_of_a_secret() {
    for (text, what) in [
        ("{{ '76Ow' | b64decode }}", "filter `b64decode`"),
        ("{{ '%EF%A3%B0exec:id%EF%A3%B1' | urldecode }}", "filter `urldecode`"),
        ("{{ ['%EF%A3%B0exec:id%EF%A3%B1'] | map('urldecode') | list }}", "filter `urldecode`"),
        (r#"{{ '{"a": ["\uf8f0exec:id\uf8f1"]}' | from_json }}"#, "filter `from_json`"),
        ("{{ '{from_secret: \"exec:id\"}' | from_yaml }}", "filter `from_yaml`"),
        ("{{ '%cexec:id%c' | format(63728, 63729) }}", "filter `format`"),
        ("{{ '%cexec:id%c' % (63728, 63729) }}", "filter `format`"),
        ("{{ '{:c}'.format(63728) }}", "method `format`"),
    ] {
        let said = wrong(text);
        assert!(said.contains(&format!("the {what} would make the reference of a secret")), "{text}: {said}");
    }
}

#[test]
fn a_secret_is_put_in_place_and_never_computed_on() {
    insta::assert_snapshot!(
        [
            "{{ password }}",
            "user:{{ password }}@x",
            "{{ 'a' ~ password ~ 'b' }}",
            "{{ 'a' + password }}",
            "{{ missing | default(password) }}",
            "{{ password | default('x') }}",
            "{{ password if port == 9000 else 'x' }}",
            "{{ (port == 9000) | ternary(password, 'x') }}",
            "{{ [name, password] | join(':') }}",
            "{{ {'p': password} }}",
            "{{ map.host }}",
            "{{ map | length }}",
            "{{ 'password' in map }}",
            "{{ password is defined }}",
            "{{ password | b64encode }}",
            "{{ password | length }}",
            "{{ password | upper }}",
            "{{ password.upper() }}",
            "{{ password == 'x' }}",
            "{{ 'x' in password }}",
            "{{ [password] == ['x'] }}",
            "{{ password and 1 }}",
            "{{ password | default('x', true) }}",
            "{{ 'yes' if password else 'no' }}",
            "{{ not password }}",
            "{{ password[0] }}",
            "{{ password[1:] }}",
            "{{ password * 2 }}",
            "{{ '%s' % password }}",
            "{{ '%s' | format(password) }}",
            "{{ [password] | map('upper') | list }}",
            "{{ [password] | select('match', 'x') | list }}",
            "{{ [password] | sort }}",
            "{{ [password, 'a'] | unique }}",
            "{{ [map] | selectattr('password') | list }}",
            "{{ map | to_json }}",
            "x {{ map }}",
            "{% for c in password %}{{ c }}{% endfor %}",
            "{{ map[password] }}",
            "{{ {password: 1} }}",
        ]
        .map(wrong)
        .join("\n"),
        @r##"
        gives "‹env:PASSWORD›"
        gives "user:‹env:PASSWORD›@x"
        gives "a‹env:PASSWORD›b"
        gives "a‹env:PASSWORD›"
        gives "‹env:PASSWORD›"
        gives "‹env:PASSWORD›"
        gives "‹env:PASSWORD›"
        gives "‹env:PASSWORD›"
        gives "data-1:‹env:PASSWORD›"
        gives {"p":"‹env:PASSWORD›"}
        gives "h"
        gives 2
        gives true
        gives true
        Secret at "b64encode": the filter `b64encode`...
        Secret at "length": the filter `length`...
        Secret at "upper": the filter `upper`...
        Secret at ".upper()": the method `upper`...
        Secret at "password == 'x'": a comparison...
        Secret at "'x' in password": a comparison...
        Secret at "[password] == ['x']": a comparison...
        Secret at "password": a condition...
        Secret at "default('x', true)": `default` with `true` would have to compute on a secret, and secrets are only put in place (write `default(...)` without `true`: a secret is never empty)
        Secret at "password": a condition...
        Secret at "password": a condition...
        Secret at "password[0]": taking a character of it...
        Secret at "password[1:]": a part of a text...
        Secret at "password * 2": an operator...
        Secret at "'%s' % password": an operator...
        Secret at "format(password)": the filter `format`...
        Secret at "map('upper')": the filter `upper`...
        Secret at "select('match', 'x')": the test `match`...
        Secret at "sort": the filter `sort`...
        Secret at "unique": the filter `unique`...
        Secret at "selectattr('password')": a condition...
        Secret at "to_json": the filter `to_json`...
        Secret at "": writing a list or a mapping as text...
        Secret at "password": a loop...
        Secret at "map[password]": looking something up by it...
        Secret at "{password: 1}": a key of a mapping...
        "##
    );
}

#[test]
fn every_borrowed_filter_and_test_is_there() {
    let (filters, tests) = vocabulary();
    for name in filters {
        let said = Template::new(&format!("{{{{ 1 | {name} }}}}")).and_then(|template| template.value(&scope()));
        assert!(
            said.as_ref().err().is_none_or(|wrong| wrong.kind != Kind::Unknown && !wrong.message.contains("unknown")),
            "{name}: {said:?}"
        );
    }
    for name in tests.iter().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let said = Template::new(&format!("{{{{ 1 is {name} }}}}")).and_then(|template| template.value(&scope()));
        assert!(
            said.as_ref().err().is_none_or(|wrong| wrong.kind != Kind::Unknown && !wrong.message.contains("unknown")),
            "{name}: {said:?}"
        );
    }
}

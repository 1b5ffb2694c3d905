//! Reads what ClickHouse answered over HTTP (pure).
//!
//! An exception may come with its header and a status, or in the middle of a body that began well
//! (<https://clickhouse.com/docs/interfaces/http>). No message holds our password or the text of a statement that could
//! not be parsed.

use serde::Deserialize;
use serde_json::Value;

use super::{ClickHouseError, Rows};
use crate::secret::Secret;

/// What of the answer's head matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// HTTP status.
    pub status: u16,
    /// `X-ClickHouse-Exception-Code`.
    pub exception: Option<i32>,
}

#[derive(Deserialize)]
struct Compact {
    #[serde(default)]
    meta: Vec<Column>,
    #[serde(default)]
    data: Vec<Vec<Value>>,
    exception: Option<String>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

pub(super) fn understand(head: &Head, body: &[u8], password: Option<&Secret<String>>) -> Result<Rows, ClickHouseError> {
    let parsed = serde_json::from_slice::<Compact>(body);
    let said = parsed.as_ref().ok().and_then(|compact| compact.exception.clone());
    if head.exception.is_some() || head.status != 200 || said.is_some() {
        let text = said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
        return Err(exception(head, &text, password));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Rows::default());
    }
    match parsed {
        Ok(compact) => {
            let columns = compact.meta.into_iter().map(|column| column.name).collect();
            Ok(Rows { columns, rows: compact.data })
        }
        Err(error) => {
            let text = String::from_utf8_lossy(body);
            match text.find("DB::Exception: ").and_then(|at| text.get(..at)?.rfind("Code: ")) {
                Some(at) => Err(exception(head, text.get(at..).unwrap_or_default(), password)),
                // The parser's own text names a position, never the content.
                None => Err(ClickHouseError::Garbled(error.to_string())),
            }
        }
    }
}

/// Takes `Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE) (version 24.8.4.13 (official build))` apart.
fn exception(head: &Head, text: &str, password: Option<&Secret<String>>) -> ClickHouseError {
    let text = text.trim();
    let written = text.strip_prefix("Code: ").and_then(|rest| rest.split_once('.')?.0.parse().ok());
    let Some(code) = head.exception.or(written) else {
        let first: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
        return ClickHouseError::Garbled(hidden(format!("HTTP status {}: {first}", head.status), password));
    };
    let message = text.split_once("DB::Exception: ").map_or(text, |(_, message)| message);
    let message = message.rfind(" (version ").and_then(|at| message.get(..at)).unwrap_or(message).trim_end();
    let (message, name) = match message.rsplit_once(" (") {
        Some((message, name)) if name.strip_suffix(')').is_some_and(is_name) => (message, name.trim_end_matches(')')),
        _ => (message, ""),
    };
    let message = hidden(without_statement(message), password);
    ClickHouseError::Exception { code, name: name.to_owned(), message: message.trim_end_matches('.').to_owned() }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A syntax error repeats the statement from the place on, with all that it holds:
/// ``Syntax error: failed at position 8 ('x') (line 1, col 8): x PASSWORD 'p'. Expected one of: ...``.
fn without_statement(message: &str) -> String {
    const PLACE: &str = "failed at position ";
    let Some(number) = message.find("yntax error").and_then(|at| Some(at + message.get(at..)?.find(PLACE)?)) else {
        return message.to_owned();
    };
    let (place, rest) = message.split_at(number + PLACE.len());
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let line = rest.find("(line ").and_then(|from| {
        let line = rest.get(from..=from + rest.get(from..)?.find(')')?)?;
        line.chars().all(|c| c.is_ascii_digit() || "(line, co)".contains(c)).then(|| format!(" {line}"))
    });
    let expected = rest.rfind(". Expected").and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{place}{digits}{}{expected}", line.unwrap_or_default())
}

fn hidden(message: String, password: Option<&Secret<String>>) -> String {
    match password.map(Secret::expose) {
        Some(password) if !password.is_empty() => message.replace(password, "‹secret›"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception_of(status: u16, code: Option<i32>, body: &str) -> ClickHouseError {
        let password = Secret::new("hunter22".to_owned());
        understand(&Head { status, exception: code }, body.as_bytes(), Some(&password)).unwrap_err()
    }

    #[test]
    fn the_version_tail_and_the_password_are_not_in_the_message() {
        let body = "Code: 60. DB::Exception: Table default.hunter22 does not exist. (UNKNOWN_TABLE) (version 24.8.4.13 (official build))\n";
        assert_eq!(
            exception_of(404, Some(60), body),
            ClickHouseError::Exception {
                code: 60,
                name: "UNKNOWN_TABLE".to_owned(),
                message: "Table default.‹secret› does not exist".to_owned()
            }
        );
    }

    #[test]
    fn a_syntax_error_does_not_repeat_the_statement() {
        let body = "Code: 62. DB::Exception: Syntax error: failed at position 8 ('IDENTIFIEDD') (line 1, col 8): IDENTIFIEDD BY 'topsecret'. Expected one of: BY, end of query. (SYNTAX_ERROR) (version 24.8.4.13)";
        let ClickHouseError::Exception { code, name, message } = exception_of(400, Some(62), body) else { panic!() };
        assert_eq!((code, name.as_str()), (62, "SYNTAX_ERROR"));
        assert_eq!(message, "Syntax error: failed at position 8 (line 1, col 8). Expected one of: BY, end of query");
        let body = "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed): failed at position 9 (end of query): ; SELECT ('topsecret'). . (SYNTAX_ERROR) (version 24.8)";
        let ClickHouseError::Exception { message, .. } = exception_of(400, Some(62), body) else { panic!() };
        assert_eq!(message, "Syntax error (Multi-statements are not allowed): failed at position 9");
    }

    #[test]
    fn an_exception_inside_a_good_answer_is_found() {
        for body in [
            "{\"meta\":[],\n\"data\":[\n[1],\nCode: 395. DB::Exception: Value passed to throwIf. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 24.8)",
            "{\"meta\":[{\"name\":\"a\",\"type\":\"UInt8\"}],\"data\":[],\"rows\":0,\"exception\":\"Code: 395. DB::Exception: Value passed to throwIf. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 24.8)\"}",
        ] {
            let ClickHouseError::Exception { code, message, .. } = exception_of(200, None, body) else { panic!() };
            assert_eq!((code, message.as_str()), (395, "Value passed to throwIf"));
        }
    }

    #[test]
    fn rows_keep_their_numbers_and_an_empty_body_has_none() {
        let body = br#"{"meta":[{"name":"n","type":"UInt64"}],"data":[[18446744073709551615]],"rows":1}"#;
        let rows = understand(&Head { status: 200, exception: None }, body, None).unwrap();
        assert_eq!(rows.number(0, "n"), Some(u64::MAX));
        assert!(understand(&Head { status: 200, exception: None }, b"\n", None).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_answer_of_clickhouse_is_garbled() {
        assert!(matches!(exception_of(502, None, "<html>"), ClickHouseError::Garbled(_)));
        assert!(matches!(exception_of(200, None, "1\t2\n"), ClickHouseError::Garbled(_)));
    }
}

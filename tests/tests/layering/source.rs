//! Rust source as the tests of the structure see it: tokens without comments, and which of them are
//! test code.

use flux_tests::workspace_root;
use std::borrow::Borrow;
use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct Source {
    /// Relative to the top level.
    pub name: String,
    pub text: String,
    /// All tokens, without comments.
    pub tokens: Vec<Token>,
}

/// An identifier, a number, `::`, one character of punctuation, or a literal: a string begins with
/// `"`, and its content follows without the closing quote; a character is `'`.
pub struct Token {
    pub text: String,
    /// Counted from 0.
    pub line: usize,
    /// The line of the last character.
    pub end: usize,
    /// Inside an item with `#[cfg(test)]`.
    pub test: bool,
    /// In how many modules that the file itself holds, `mod name { … }`.
    pub inner: usize,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    pub fn is_string(&self) -> bool {
        self.text.starts_with('"')
    }
}

impl Source {
    fn read(path: &Path) -> Source {
        let name = path.strip_prefix(workspace_root()).expect("below it").display().to_string();
        let text = fs::read_to_string(path).expect("UTF-8");
        Source::new(name, text)
    }

    pub fn new(name: String, text: String) -> Source {
        let mut tokens = tokens(&text);
        let all = name.ends_with("/tests.rs") || name.contains("/tests/");
        mark_tests(&mut tokens, all);
        count_inner(&mut tokens);
        Source { name, text, tokens }
    }

    /// The tokens that are no test code.
    pub fn code(&self) -> Vec<&Token> {
        self.tokens.iter().filter(|token| !token.test).collect()
    }

    /// The first line, counted from 1, at which these tokens follow each other outside test code.
    pub fn find(&self, wanted: &str) -> Option<usize> {
        let wanted = tokens(wanted);
        let same = |at: &[Token]| at.iter().zip(&wanted).all(|(a, b)| a.text == b.text);
        let mut places = self.tokens.windows(wanted.len());
        places.find(|at| !at[0].test && same(at)).map(|at| at[0].line + 1)
    }
}

/// All Rust files below a folder.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    visit(&workspace_root().join(folder), &mut found);
    assert!(!found.is_empty(), "no sources in {folder}");
    found.sort();
    found.iter().map(|path| Source::read(path)).collect()
}

/// The folders with code of the product, and those of the tests.
pub const ALL: [&str; 4] = ["libidle", "libflux", "launcher", "tests"];

fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.ends_with("target") {
            visit(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lexer: good for code that compiles.
fn tokens(text: &str) -> Vec<Token> {
    let bytes: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 0);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while at < bytes.len() {
        let rest = &bytes[at..];
        let begins = |text: &str| text.chars().eq(rest.iter().copied().take(text.len()));
        let (start, mut length, mut text) = (line, 1, None);
        if rest[0] == '\n' || rest[0].is_whitespace() {
        } else if begins("//") {
            length = rest.iter().position(|&c| c == '\n').unwrap_or(rest.len());
        } else if begins("/*") {
            length = comment(rest);
        } else if let Some((quotes, content)) = string(rest) {
            length = quotes + content.len();
            text = Some(format!("\"{}", content.iter().collect::<String>()));
        } else if rest[0] == '\'' && (rest[1] == '\\' || rest.get(2) == Some(&'\'')) {
            let escaped = usize::from(rest[1] == '\\');
            let end = rest[2 + escaped..].iter().position(|&c| c == '\'').expect("it ends");
            length = 2 + escaped + end + 1;
            text = Some("'".to_owned());
        } else if word(rest[0]) || rest[0] == '\'' {
            let more = rest[1..].iter().position(|&c| !word(c)).unwrap_or(rest.len() - 1);
            length = 1 + more;
            text = Some(rest[..length].iter().collect());
        } else {
            length = if begins("::") { 2 } else { 1 };
            text = Some(rest[..length].iter().collect());
        }
        line += rest[..length].iter().filter(|&&c| c == '\n').count();
        if let Some(text) = text {
            tokens.push(Token { text, line: start, end: line, test: false, inner: 0 });
        }
        at += length;
    }
    tokens
}

fn comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

/// If a string begins here: how many characters its prefix and its quotes are, and its content.
fn string(rest: &[char]) -> Option<(usize, &[char])> {
    let prefix = rest.iter().position(|c| !"bcr".contains(*c)).filter(|&n| n <= 2)?;
    let raw = rest[..prefix].contains(&'r');
    let hashes = if raw { rest[prefix..].iter().take_while(|&&c| c == '#').count() } else { 0 };
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let body = &rest[open + 1..];
    let mut end = 0;
    loop {
        match body[end] {
            '"' if body[end + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes => {
                return Some((open + 1 + 1 + hashes, &body[..end]));
            }
            '\\' if !raw => end += 2,
            _ => end += 1,
        }
    }
}

/// Marks the items under a `#[cfg(…)]` that needs `test`.
fn mark_tests(tokens: &mut [Token], all: bool) {
    let mut at = 0;
    while at < tokens.len() {
        let end = end_of_test(&tokens[at..]);
        for token in &mut tokens[at..at + end.max(1)] {
            token.test = all || end > 0;
        }
        at += end.max(1);
    }
}

fn count_inner(tokens: &mut [Token]) {
    for at in 2..tokens.len() {
        if tokens[at].is("{") && tokens[at - 2].is("mod") {
            let end = at + matching(&tokens[at..]);
            tokens[at..end].iter_mut().for_each(|token| token.inner += 1);
        }
    }
}

/// How many tokens belong to the item under test that begins here.
fn end_of_test(tokens: &[Token]) -> usize {
    let begins = ["#", "[", "cfg", "("]
        .iter()
        .enumerate()
        .all(|(i, t)| tokens.get(i).is_some_and(|x| x.is(t)));
    if !begins {
        return 0;
    }
    let close = 2 + matching(&tokens[1..]);
    let condition = &tokens[4..close];
    let test = condition.iter().position(|token| token.is("test"));
    let negated = |at: usize| at >= 2 && condition[at - 2].is("not");
    if test.is_none_or(negated) {
        return 0;
    }
    // Up to the end of the item: its block, or its semicolon.
    let mut at = close;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => return at + matching(&tokens[at..]) + 1,
            "(" | "[" => at += matching(&tokens[at..]) + 1,
            _ => at += 1,
        }
    }
    at
}

/// Where the bracket that opens at the first token is closed.
pub fn matching<T: Borrow<Token>>(tokens: &[T]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.borrow().text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

#[test]
fn tokens_are_no_comments_and_no_words_in_strings() {
    let text = "let a = \"unsafe {\"; // unsafe {\n/* no /* nested */ \"*/ f('\\'', 'b', r#\"\"x\"#);\n\
                #[cfg(test)]\nmod t { fn g() {} }\n#[cfg(not(test))] fn h<'a>() { b::c(1) }";
    let source = Source::new("x.rs".to_owned(), text.to_owned());
    let code: Vec<&str> = source.code().iter().map(|token| token.text.as_str()).collect();
    assert_eq!(
        code.join(" "),
        "let a = \"unsafe { ; f ( ' , ' , \"\"x ) ; # [ cfg ( not ( test ) ) ] \
         fn h < 'a > ( ) { b :: c ( 1 ) }"
    );
    assert_eq!(source.find("c(1"), Some(5));
    assert_eq!(source.find("unsafe {"), None);
}

//! The form of the sources: the lengths of files and lines, and a SAFETY comment at each unsafe
//! block.

use crate::rule::holds;
use crate::source::{ALL, Source, Token, matching, sources};

/// A file longer than this does more than one thing.
const LONGEST_FILE: usize = 350;
const LONGEST_LINE: usize = 100;

fn place(source: &Source) -> String {
    source.name.split('/').next().expect("a folder").to_owned()
}

#[test]
fn no_file_is_too_long() {
    let mut found = Vec::new();
    for source in ALL.into_iter().flat_map(sources) {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            found.push((place(&source), 1, format!("{}: {lines} lines", source.name)));
        }
    }
    holds("long files", &found);
}

#[test]
fn no_line_is_too_long() {
    let mut found = Vec::new();
    for source in ALL.into_iter().flat_map(sources) {
        for (number, line) in source.text.lines().enumerate() {
            let length = line.chars().count();
            if length > LONGEST_LINE && !excepted(&source, number, length) {
                let what = format!("{}:{}: {length} columns", source.name, number + 1);
                found.push((place(&source), 1, what));
            }
        }
    }
    holds("long lines", &found);
}

/// Is it a row of a table, or long by its string alone?
fn excepted(source: &Source, number: usize, length: usize) -> bool {
    let strings = source.tokens.iter().filter(|token| token.is_string());
    let mut quoted = 0;
    for string in strings.filter(|string| (string.line..=string.end).contains(&number)) {
        if string.line != string.end {
            return true;
        }
        quoted += string.text.chars().count();
    }
    length - quoted <= LONGEST_LINE || in_table(&source.tokens, number)
}

/// Does this line end a row inside the braces of a macro's call? rustfmt leaves those alone.
fn in_table(tokens: &[Token], number: usize) -> bool {
    let ends = tokens.iter().rfind(|token| token.line == number);
    ends.is_some_and(|token| [";", ","].contains(&token.text.as_str()))
        && tokens.windows(3).enumerate().any(|(at, call)| {
            call[0].is_name() && call[1].is("!") && call[2].is("{") && call[0].line < number && {
                let end = at + 2 + matching(&tokens[at + 2..]);
                number <= tokens[end].line
            }
        })
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut found = Vec::new();
    for source in ALL.into_iter().flat_map(sources) {
        for line in silent(&source) {
            found.push((place(&source), 1, format!("{}:{line}", source.name)));
        }
    }
    holds("unsafe without a SAFETY comment directly above", &found);
}

/// The lines, counted from 1, of unsafe blocks and implementations that no SAFETY comment belongs
/// to: it stands directly above the block's line, or above the statement, the match arm or the
/// argument that the block is a part of.
fn silent(source: &Source) -> Vec<usize> {
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let says = |line: usize| {
        let above = lines[..line].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("//") || line.starts_with("#["));
        above.any(|line| line.starts_with("// SAFETY: "))
    };
    let tokens = &source.tokens;
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let opens = pair[0].is("unsafe") && (pair[1].is("{") || pair[1].is("impl"));
        if opens && !beginnings(tokens, at).into_iter().any(says) {
            found.push(pair[0].line + 1);
        }
    }
    found
}

/// The lines in which the block that opens here begins, and what it is a part of.
fn beginnings(tokens: &[Token], block: usize) -> Vec<usize> {
    let mut lines = vec![tokens[block].line];
    let (mut at, mut depth, mut comma) = (block, 0, false);
    while at > 0 {
        let line = tokens[at].line;
        let before = tokens[at - 1].text.as_str();
        match before {
            // The block of what stands before, unless it is an argument or an arm.
            "}" if depth == 0 && !comma => {
                lines.push(line);
                break;
            }
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" if depth > 0 => depth -= 1,
            "(" | "[" => {
                lines.push(line);
                comma = false;
            }
            "{" | ";" if depth == 0 => {
                lines.extend((!comma).then_some(line));
                break;
            }
            "," if depth == 0 => {
                lines.extend((!comma).then_some(line));
                comma = true;
            }
            _ => {}
        }
        at -= 1;
    }
    lines
}

#[test]
fn a_comment_for_another_block_does_not_count() {
    let check = |text: &str| silent(&Source::new("x.rs".to_owned(), text.to_owned()));
    let good = "// SAFETY: a.\nunsafe { a() };\n// SAFETY: b.\nlet x = f(1, |y| {\n    y\n}, unsafe { b() });\n\
                match x {\n    // SAFETY: c.\n    1 => unsafe { c() },\n    _ => {}\n}";
    assert_eq!(check(good), [] as [usize; 0]);
    // Above the statement before, above another arm, with a line between, and inside.
    assert_eq!(check("// SAFETY: a.\nunsafe { a() };\nunsafe { b() };"), [3]);
    assert_eq!(
        check("match x {\n// SAFETY: a.\n1 => unsafe { a() },\n_ => unsafe { b() },\n}"),
        [4]
    );
    assert_eq!(check("// SAFETY: a.\n\nunsafe { a() }"), [3]);
    assert_eq!(check("unsafe {\n// SAFETY: a.\na() }"), [1]);
}

//! `Block`: what a page of the book shows that can be tried, with the lines that it stands in.
//! Must not know how it is tried.

/// One block of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// ```` ```console ````: commands with what they print.
    Console(Vec<Shown>),
    /// ```` ```toml ```` below `<!-- accel.toml: HOW -->`: a change of the manifest in the present folder.
    Edit(How, Vec<String>),
}

/// A command and its output as the page shows them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Behind `$ `; a `\` at the end of a line joins the next one to it.
    pub(super) command: String,
    /// First line of the output, counted from 0.
    pub(super) line: usize,
    /// The output.
    pub(super) output: Vec<String>,
}

/// What becomes of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The block comes last.
    Append,
    /// The block takes the place of the section with the same first line.
    Replace,
}

/// The blocks of a page in order.
///
/// # Errors
/// What cannot be tried as it stands, one line each.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut blocks, mut problems) = (Vec::new(), Vec::new());
    let mut mark = None;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        at += 1;
        if let Some(how) = line.strip_prefix("<!-- accel.toml: ") {
            mark = match how {
                "append -->" => Some(How::Append),
                "replace -->" => Some(How::Replace),
                _ => {
                    problems.push(format!("{at}: `{line}` is no change of a manifest"));
                    None
                }
            };
        } else if let Some(kind) = line.strip_prefix("```") {
            let end = lines[at..].iter().position(|line| *line == "```");
            let Some(length) = end else {
                problems.push(format!("{at}: the block has no end"));
                break;
            };
            let inside = &lines[at..at + length];
            match (kind, mark.take()) {
                ("console", None) => match console(at, inside) {
                    Ok(shown) => blocks.push(Block::Console(shown)),
                    Err(problem) => problems.push(problem),
                },
                ("toml", Some(how)) => {
                    let own = inside.iter().map(|line| (*line).to_owned()).collect();
                    blocks.push(Block::Edit(how, own));
                }
                (_, Some(_)) => problems.push(format!("{at}: the change is no `toml`")),
                ("", None) => problems.push(format!("{at}: the block does not say what it is")),
                _ => {}
            }
            at += length + 1;
        } else if !line.is_empty() && mark.take().is_some() {
            problems.push(format!(
                "{at}: a change of the manifest is announced and does not follow"
            ));
        }
    }
    if problems.is_empty() {
        Ok(blocks)
    } else {
        Err(problems)
    }
}

fn console(first: usize, lines: &[&str]) -> Result<Vec<Shown>, String> {
    let mut all: Vec<Shown> = Vec::new();
    let mut open = false;
    for (at, line) in lines.iter().enumerate() {
        let number = first + at;
        if let Some(last) = all.last_mut().filter(|_| open) {
            last.command += &format!("\n{line}");
            last.line = number + 1;
            open = line.ends_with('\\');
        } else if let Some(command) = line.strip_prefix("$ ") {
            open = command.ends_with('\\');
            all.push(Shown {
                command: command.to_owned(),
                line: number + 1,
                output: Vec::new(),
            });
        } else if let Some(last) = all.last_mut() {
            last.output.push((*line).to_owned());
        } else {
            return Err(format!("{}: output without a command", number + 1));
        }
    }
    Ok(all)
}

/// The manifest after the change.
///
/// # Errors
/// There is nothing to replace.
pub(super) fn edited(manifest: &str, how: How, block: &[String]) -> Result<String, String> {
    let mut lines: Vec<&str> = manifest.lines().collect();
    let own = block.iter().map(String::as_str);
    match how {
        How::Append => {
            lines.push("");
            lines.extend(own);
        }
        How::Replace => {
            let header = block.first().map(String::as_str);
            let start = lines.iter().position(|line| Some(*line) == header);
            let start = start.ok_or_else(|| format!("the manifest has no {header:?}"))?;
            let next = lines[start + 1..]
                .iter()
                .position(|line| line.starts_with('['));
            let mut end = next.map_or(lines.len(), |next| start + 1 + next);
            // Comments above the next section belong to it.
            while end > start + 1 && (lines[end - 1].is_empty() || lines[end - 1].starts_with('#'))
            {
                end -= 1;
            }
            lines.splice(start..end, own);
        }
    }
    Ok(lines.join("\n") + "\n")
}

#[test]
fn commands_have_their_output_and_their_place() {
    let text = "a\n```console\n$ one \\\n  two\nx\n\ny\n$ three\n```\n";
    let Ok(blocks) = blocks(text) else {
        panic!("{text}")
    };
    let shown = |command: &str, line, output: &[&str]| Shown {
        command: command.to_owned(),
        line,
        output: output.iter().map(|line| (*line).to_owned()).collect(),
    };
    let expected = vec![
        shown("one \\\n  two", 4, &["x", "", "y"]),
        shown("three", 8, &[]),
    ];
    assert_eq!(blocks, [Block::Console(expected)]);
}

#[test]
fn what_cannot_be_tried_is_a_problem() {
    for text in [
        "```console\nx\n```",
        "```console\n$ x\n",
        "<!-- accel.toml: append -->\n\n```json\n```",
        "<!-- accel.toml: append -->\nwords\n```toml\n```",
        "<!-- accel.toml: improve -->\n```toml\n```",
        "```\nx\n```",
    ] {
        assert!(blocks(text).is_err(), "{text}");
    }
    assert_eq!(
        blocks("```toml\n[a]\n```\n```text\n$ x\n```"),
        Ok(Vec::new())
    );
}

#[test]
fn sections_are_appended_and_replaced() {
    let block = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let manifest = "[a]\nx = 1\n\n# b is next\n[b]\ny = 1\n";
    let appended = edited(manifest, How::Append, &block("[c]\nz = 1")).unwrap();
    assert_eq!(appended, format!("{manifest}\n[c]\nz = 1\n"));
    let replaced = edited(manifest, How::Replace, &block("[a]\nx = 2\nw = 3")).unwrap();
    assert_eq!(replaced, "[a]\nx = 2\nw = 3\n\n# b is next\n[b]\ny = 1\n");
    let last = edited(manifest, How::Replace, &block("[b]")).unwrap();
    assert_eq!(last, "[a]\nx = 1\n\n# b is next\n[b]\n");
    assert!(edited(manifest, How::Replace, &block("[c]")).is_err());
}

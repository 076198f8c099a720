//! Globs on layer names: `*` stands for any characters, `?` for exactly one.
//! Must not know what a layer is.

/// Whether all of `name` is matched by `pattern`. Takes at most `pattern` times `name` steps.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&one) if one == '?' || one == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                // The last star takes one character more: earlier ones need no second try.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&one| one == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, expected) in [
            ("fc1", "fc1", true),
            ("fc1", "fc10", false),
            ("fc*", "fc", true),
            ("*", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("*.conv?", "block.3.conv1", true),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxc", false),
            ("a**c", "abc", true),
            ("", "a", false),
            ("[a]", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let long = "a".repeat(5000);
        assert!(!matches(&format!("{}b", "a*".repeat(200)), &long));
    }
}

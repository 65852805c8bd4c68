//! State machines as pictures for the documentation, drawn from the types.

use std::fmt::Display;

/// A machine as a Mermaid diagram. A state that nothing follows is an end.
pub(super) fn draw<S: Copy + Display + 'static>(
    all: &[S],
    first: &[S],
    next: impl Fn(S) -> &'static [S],
) -> String {
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    lines.extend(first.iter().map(|first| format!("    [*] --> {first}")));
    for &state in all {
        lines.extend(next(state).iter().map(|next| format!("    {state} --> {next}")));
        if next(state).is_empty() {
            lines.push(format!("    {state} --> [*]"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

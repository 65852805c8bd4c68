//! The job log as a Markdown table.

use proact::{
    activity::{Activity, TextFormat},
    proactive::{Job, JobFilter, Page},
};

use super::{PAGE, texts};

/// The last page that is shown: the log is counted that far.
pub(super) const LAST: u64 = JobFilter::COUNTED / PAGE as u64;

/// Page number `page` (1 is the newest) of the log.
pub(super) fn of(jobs: &Page<Job>, page: u64) -> Activity {
    let total = jobs.total.unwrap_or(jobs.items.len() as u64);
    if jobs.items.is_empty() {
        return match total.div_ceil(PAGE.into()) {
            0 => texts::empty_log(),
            last => texts::no_such_page(page, last),
        };
    }
    let mut text = "| Job number | Conversation ID | Completed |\n| ---: | :--- | :--- |\n".to_owned();
    for job in &jobs.items {
        let completed = job.state.is_finished();
        text.push_str(&format!("| {} | {} | {completed} |\n", job.number, cell(&job.conversation.id)));
    }
    if jobs.next.is_some() && page >= LAST {
        text.push_str("\nThere are more: 'proact jobs list' on the server's command line shows them.");
    } else if jobs.next.is_some() {
        // The blank line ends the table.
        text.push_str(&format!(
            "\n{}: type 'show {}' to see the next.",
            how_many_more(total, page),
            page + 1
        ));
    }
    Activity::message(text.trim_end()).with_text_format(TextFormat::Markdown)
}

fn how_many_more(total: u64, page: u64) -> String {
    let shown = page.saturating_mul(PAGE.into());
    match total.saturating_sub(shown) {
        // Counting stops somewhere: what a page costs must not grow with the log.
        0 => "There are more".to_owned(),
        more if total >= JobFilter::COUNTED => format!("At least {more} more"),
        more => format!("{more} more"),
    }
}

/// An id that stays within its cell and is no markup.
fn cell(id: &str) -> String {
    let mut cell = String::with_capacity(id.len());
    for c in id.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '<' | '[' | ']' => cell.extend(['\\', c]),
            c if c.is_control() => cell.push(' '),
            c => cell.push(c),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_in_its_cell() {
        assert_eq!(cell("a|b"), r"a\|b");
        assert_eq!(cell("a\\|b"), r"a\\\|b");
        assert_eq!(cell("a\n| x |"), r"a \| x \|");
        assert_eq!(cell("<b>`x`*"), r"\<b>\`x\`\*");
        assert_eq!(cell("19:größe_1@thread.v2"), "19:größe_1@thread.v2");
    }

    #[test]
    fn it_says_how_many_more() {
        assert_eq!(how_many_more(57, 1), "37 more");
        assert_eq!(how_many_more(57, 2), "17 more");
        assert_eq!(how_many_more(10_000, 1), "At least 9980 more");
        assert_eq!(how_many_more(10_000, 900), "There are more");
    }
}

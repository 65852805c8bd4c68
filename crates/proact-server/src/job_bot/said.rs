//! What a person says to the bot: words, whatever their case and however many blanks stand between them.

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// `run`, `run job`
    Run,
    /// `show`, `show jobs`, each with or without the number of a page.
    Show {
        /// 1 is the newest.
        page: u64,
    },
    /// `done`: the second word is the job's number, and what follows it is not looked at, as in the article's JavaScript bot
    /// (`done 5 please`). `None` when it is not one.
    Done(Option<u64>),
    /// Anything else.
    Else,
}

impl Said {
    /// Reads `text`, from which a mention of the bot is already gone.
    pub(super) fn read(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut words = text.split_whitespace();
        let page = |word: Option<&str>| match word {
            None => Self::Show { page: 1 },
            Some(word) => match job_number(word) {
                Some(page) if page > 0 => Self::Show { page },
                _ => Self::Else,
            },
        };
        match words.next() {
            Some("run") => match (words.next(), words.next()) {
                (None | Some("job"), None) => Self::Run,
                _ => Self::Else,
            },
            Some("show") => match (words.next(), words.next(), words.next()) {
                (Some("jobs"), number, None) => page(number),
                (number, None, None) => page(number),
                _ => Self::Else,
            },
            Some("done") => Self::Done(words.next().and_then(job_number)),
            _ => Self::Else,
        }
    }
}

/// A number that a person can type: digits and nothing else, not beyond what a number can hold.
pub(super) fn job_number(word: &str) -> Option<u64> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) { word.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table() {
        for (text, said) in [
            ("run", Said::Run),
            (" RUN  Job\n", Said::Run),
            ("run jobs", Said::Else),
            ("run job now", Said::Else),
            ("runjob", Said::Else),
            ("show", Said::Show { page: 1 }),
            ("Show Jobs", Said::Show { page: 1 }),
            ("show 2", Said::Show { page: 2 }),
            ("show jobs 3", Said::Show { page: 3 }),
            ("show 0", Said::Else),
            ("show all", Said::Else),
            ("show 2 3", Said::Else),
            ("show jobs 2 3", Said::Else),
            ("done 17", Said::Done(Some(17))),
            ("DONE\t017", Said::Done(Some(17))),
            ("done 17 please", Said::Done(Some(17))),
            ("done", Said::Done(None)),
            ("done x", Said::Done(None)),
            ("done -1", Said::Done(None)),
            ("done +1", Said::Done(None)),
            ("done 1.0", Said::Done(None)),
            ("done 17x", Said::Done(None)),
            ("done ١٧", Said::Done(None)),
            ("done 18446744073709551615", Said::Done(Some(u64::MAX))),
            ("done 18446744073709551616", Said::Done(None)),
            ("done17", Said::Else),
            ("", Said::Else),
            ("hello", Said::Else),
        ] {
            assert_eq!(Said::read(text), said, "{text:?}");
        }
    }
}

//! A page of a list, and where the next one begins.

/// One page of a list. `Next` is the place of the last item in the list's order: lists in the order of acceptance go by a number.
#[derive(Debug, Clone)]
pub struct Page<T, Next = u64> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Next>,
    /// How many there are on all pages, when it was asked for.
    pub total: Option<u64>,
}

impl<T, Next> Page<T, Next> {
    /// The first `limit` of what was read, which is one more if there is a next page; `place` says where an item stands.
    pub(crate) fn cut(mut read: Vec<T>, limit: usize, place: impl FnOnce(&T) -> Next) -> Self {
        let more = read.len() > limit;
        read.truncate(limit);
        let next = read.last().filter(|_| more).map(place);
        Self { items: read, next, total: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_next_page_if_more_was_read() {
        for (read, items, next) in
            [(vec![], vec![], None), (vec![5, 4], vec![5, 4], None), (vec![5, 4, 3], vec![5, 4], Some(4))]
        {
            let page = Page::cut(read, 2, |item| *item);
            assert_eq!((page.items, page.next, page.total), (items, next, None));
        }
    }
}

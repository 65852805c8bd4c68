//! `/v1/templates`: messages whose words are made when they are sent. One is compiled when it is stored.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::StatusCode,
    routing::get,
};
use proact::proactive::{Page, Proactive, Template, TemplateError, TemplateInfo};

use super::{
    Rooted,
    members::Members,
    problem::Problem,
    query::{Cursor, Listed, Query, Segment, from_opaque, opaque},
};

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new()
        .route("/v1/templates", get(list))
        .route("/v1/templates/{name}", get(show).put(store).delete(remove))
}

async fn list(
    State(proactive): State<Proactive>,
    query: Query,
) -> Result<Json<Listed<TemplateInfo>>, Problem> {
    let (after, limit) = query.page()?;
    let page = proactive.templates(after.map(|Name(name)| name), limit).await?;
    Ok(Json(Page { items: page.items, next: page.next.map(Name), total: None }.into()))
}

/// A template's name as a cursor.
#[derive(Debug, PartialEq, Eq)]
struct Name(String);

impl Cursor for Name {
    fn write(&self) -> String {
        opaque(&self.0)
    }

    fn read(text: &str) -> Option<Self> {
        from_opaque(text).map(Self)
    }
}

async fn show(State(proactive): State<Proactive>, Segment(name): Segment) -> Result<Json<Template>, Problem> {
    Ok(Json(find(&proactive, name).await?))
}

async fn store(
    State(proactive): State<Proactive>,
    Segment(name): Segment,
    body: Bytes,
) -> Result<Json<Template>, Problem> {
    let mut members = Members::of(&body)?;
    let source: String = members.need("source", "the template's text")?;
    members.end("")?;
    let stored = proactive.put_template(&name, &source).await;
    stored.map_err(|error| Problem::from(error).renamed("template.name", "name"))?;
    Ok(Json(find(&proactive, name).await?))
}

async fn remove(State(proactive): State<Proactive>, Segment(name): Segment) -> Result<StatusCode, Problem> {
    if proactive.remove_template(&name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(TemplateError::NotFound(name).into())
    }
}

async fn find(proactive: &Proactive, name: String) -> Result<Template, Problem> {
    let found = proactive.template(&name).await?;
    found.ok_or_else(|| TemplateError::NotFound(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let name = Name("price-drop_1.2".to_owned());
        assert_eq!(Name::read(&name.write()), Some(name));
        for wrong in ["", "b17", "price-drop", "W10", "%"] {
            assert_eq!(Name::read(wrong), None, "{wrong}");
        }
    }
}

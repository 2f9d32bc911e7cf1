//! Fast: the same layers, each of which borrows from the one catalogue in memory.

use axum::{Json, extract::State};

use super::{
    PAGE, Wanted,
    catalogue::{Article, ArticleOut, Catalogue, Customer},
    store::STORE,
};
use product::{api::state::AppState, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Wanted { customer }: Wanted,
) -> Result<Json<Vec<ArticleOut>>, Error> {
    // FIX: all requests share one catalogue, the layers borrow from it, and a page alone is copied.
    let catalogue = STORE.shared(&db).await?;
    let customer = catalogue.customer(&customer)?;
    let priced = priced(&catalogue, customer);
    let permitted = permitted(priced, customer);
    Ok(Json(page(permitted)))
}

/// An article and what the customer pays for it.
type Priced<'a> = (&'a Article, i64);

/// Lays the customer's own prices beside those of the list.
fn priced<'a>(of: &'a Catalogue, customer: &'a Customer) -> impl Iterator<Item = Priced<'a>> {
    of.articles.iter().map(|article| (article, customer.price_of(article)))
}

/// Leaves out what the customer may not see.
fn permitted<'a>(
    priced: impl Iterator<Item = Priced<'a>>,
    customer: &'a Customer,
) -> impl Iterator<Item = Priced<'a>> {
    priced.filter(|(article, _)| customer.may_see(article))
}

/// Presents a page.
fn page<'a>(permitted: impl Iterator<Item = Priced<'a>>) -> Vec<ArticleOut> {
    let articles = permitted.take(PAGE);
    articles.map(|(article, price)| ArticleOut::new(article, price)).collect()
}

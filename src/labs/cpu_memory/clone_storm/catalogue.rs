//! The document: a shop's catalogue, with the terms of each customer.

use product::error::Error;
use serde::Serialize;

use observe::cost::own::OwnCounter;

pub static ARTICLES_COPIED: OwnCounter =
    OwnCounter::new("articles_copied", "Articles of the catalogue copied in memory.");

/// Customer who is nobody else.
const GUEST: &str = "guest";

#[derive(Clone)]
pub struct Catalogue {
    pub articles: Vec<Article>,
    pub customers: Vec<Customer>,
}

#[derive(Clone)]
pub struct Article {
    pub number: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub properties: Vec<Property>,
    /// In cents.
    pub price: i64,
    /// Lowest tier of the customers who may see it.
    pub tier: i64,
    pub copied: Copied,
}

#[derive(Clone)]
pub struct Property {
    pub name: String,
    pub value: String,
}

#[derive(Clone)]
pub struct Customer {
    pub name: String,
    /// Percent off each price.
    pub discount: i64,
    pub tier: i64,
}

/// Part of an article that counts its copies. Bytes are on the record of a request alone; copies are
/// counted whichever task makes them.
pub struct Copied;

impl Clone for Copied {
    fn clone(&self) -> Self {
        ARTICLES_COPIED.add(1);
        Self
    }
}

impl Catalogue {
    /// The customer of this name; anybody else is a guest.
    pub fn customer(&self, name: &str) -> Result<&Customer, Error> {
        let named = |name: &str| self.customers.iter().find(|customer| customer.name == name);
        let found = named(name).or_else(|| named(GUEST));
        found.ok_or_else(|| Error::internal("the catalogue has no guest"))
    }
}

impl Customer {
    /// The price of an article for this customer.
    pub fn price_of(&self, article: &Article) -> i64 {
        article.price * (100 - self.discount) / 100
    }

    pub fn may_see(&self, article: &Article) -> bool {
        self.tier >= article.tier
    }
}

/// An article as a row of a page.
#[derive(Serialize)]
pub struct ArticleOut {
    number: String,
    title: String,
    tags: Vec<String>,
    price: i64,
}

impl ArticleOut {
    /// The row of an article, at a price that may be a customer's own.
    pub fn new(Article { number, title, tags, .. }: &Article, price: i64) -> Self {
        Self { number: number.clone(), title: title.clone(), tags: tags.clone(), price }
    }
}

//! What a project says about itself for manifests, licence summaries and packages. None of it counts into a shasum.

/// Facts about the product as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The product's version.
    pub version: Option<String>,
    /// The build of that version, from 1.
    pub iteration: Option<u32>,
    /// The commit that the recipe was checked out at.
    pub git_revision: Option<String>,
    /// One line about the product.
    pub description: Option<String>,
    /// Its web page.
    pub homepage: Option<String>,
    /// `Name <address>` of who answers for it.
    pub maintainer: Option<String>,
    /// The product's licence, as an SPDX expression or free text.
    pub license: Option<String>,
    /// The product's own licence text, for the licence summary.
    pub license_content: Option<String>,
}

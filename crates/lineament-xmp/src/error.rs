//! Why a sidecar is left as it is.

use thiserror::Error;

/// A sidecar that cannot be merged; whoever has its path names it and says that it is left as it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// No XML.
    #[error("it is broken XML near byte {at}")]
    Broken {
        /// Offset from the start of the text.
        at: usize,
        /// What the parser says.
        #[source]
        cause: Box<quick_xml::Error>,
    },
    /// A tag, an attribute or a reference that XML does not allow.
    #[error(transparent)]
    Xml(Box<quick_xml::Error>),
    /// Elements within elements, more than any XMP has.
    #[error("its elements are nested deeper than {most}")]
    Nested {
        /// The limit.
        most: usize,
    },
    /// An end tag too many.
    #[error("an element ends that did not begin")]
    NotBegun,
    /// The text ends first.
    #[error("the element {name} does not end: it is cut off")]
    CutOff {
        /// The innermost open element.
        name: String,
    },
    /// A document type, which is how entities are made to explode.
    #[error("it declares a document type, which no sidecar has")]
    DocumentType,
    /// An entity that XML does not define.
    #[error("it uses the unknown entity &{name};")]
    Entity {
        /// Its name.
        name: String,
    },
    /// A namespace's prefix.
    #[error("the prefix {prefix} is not declared")]
    Prefix {
        /// As it is written.
        prefix: String,
    },
    /// More than one tree.
    #[error("it has two root elements")]
    Roots,
    /// Bytes that are no text.
    #[error("it is not in a form of Unicode")]
    Encoding,
    /// Not a single tree.
    #[error("it holds no XML element")]
    Empty,
    /// XML, but not XMP.
    #[error("it holds no rdf:RDF, and so no XMP")]
    NoRdf,
    /// A property that should hold one of RDF's lists.
    #[error("its {property} is no list")]
    NoList {
        /// Its usual name.
        property: String,
    },
    /// Regions without their list.
    #[error("its mwg-rs:Regions hold no list of regions")]
    NoRegionList,
    /// Lists within lists that are both to be changed.
    #[error("its lists lie within each other")]
    Overlapping,
    /// The result was read again, as a last check.
    #[error("merging would break it")]
    Unsound(#[source] Box<SidecarError>),
}

impl From<quick_xml::Error> for SidecarError {
    fn from(error: quick_xml::Error) -> Self {
        Self::Xml(Box::new(error))
    }
}

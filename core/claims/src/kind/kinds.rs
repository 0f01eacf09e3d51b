//! What is made of the list of the kinds: one variant, one reader and one name each.

/// Makes [`Body`](super::Body) and [`Kind`](super::Kind) of rows `Variant(typed predicate)`, and
/// everything that goes through all of them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($body:ty),)+) => {
        /// What a claim says: its predicate, read once.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Body {
            $($(#[$doc])* $kind($body),)+
            /// A predicate of a type that is not read. The statement holds it as it is.
            Other(Unread),
        }

        /// What kind of claim it is: [`Body`] without what it says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
            /// A type that is not read.
            Other(Unread),
        }

        impl Body {
            /// What kind of claim it is.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Body::$kind(_) => Kind::$kind,)+
                    Body::Other(unread) => Kind::Other(*unread),
                }
            }

            fn read(uri: &str, predicate: &Value) -> Result<Self, PredicateError> {
                $(if let Some(known) = predicate::find::<$body>(uri) {
                    return known.read(predicate).map(Body::$kind);
                })+
                Ok(Body::Other(Unread::of(uri)))
            }

            fn check_subject(&self, statement: &Statement) -> Result<(), PredicateError> {
                match self {
                    $(Body::$kind(body) => Predicate::check_subject(body, statement),)+
                    Body::Other(_) => Ok(()),
                }
            }
        }

        impl Kind {
            /// The kinds that are read, in the order in which people are told of them.
            pub const ALL: &[Kind] = &[$(Kind::$kind),+];

            /// The kind of a predicate type, by its URI.
            pub fn of(uri: &str) -> Self {
                $(if predicate::find::<$body>(uri).is_some() {
                    return Kind::$kind;
                })+
                Kind::Other(Unread::of(uri))
            }

            /// Its short name, such as `sbom`; `None` if it is not read. The name of a type
            /// ([`PredicateType::name`]) may say more.
            pub fn short_name(self) -> Option<&'static str> {
                match self {
                    $(Kind::$kind => Some(<$body as Predicate>::NAME),)+
                    Kind::Other(_) => None,
                }
            }

            fn target(self, predicate: &Value) -> Option<ClaimId> {
                match self {
                    $(Kind::$kind => <$body as Predicate>::target(predicate),)+
                    Kind::Other(unread) => unread.target(predicate),
                }
            }

            fn vulnerabilities(self, predicate: &Value) -> Vec<&Value> {
                match self {
                    $(Kind::$kind => <$body as Predicate>::vulnerabilities(predicate),)+
                    Kind::Other(unread) => unread.vulnerabilities(predicate),
                }
            }
        }

        /// The types that are read, in the order in which people are told of them.
        pub fn types() -> impl Iterator<Item = &'static PredicateType> {
            std::iter::empty()
                $(.chain(<$body as Predicate>::TYPES.iter().map(|one| &one.known)))+
        }
    };
}

//! Enums whose variants are written as permanent words.

/// Defines an enum with one permanent word for each variant. Files and reports contain the words.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident ($what:literal) {
            $($(#[$doc:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All variants, in the order in which they are declared.
            pub const ALL: [$name; [$($name::$variant),+].len()] = [$($name::$variant),+];

            /// The permanent word, as files and reports have it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            /// The variant with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.into_iter().find(|it| it.word() == word)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let word = ::std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                $name::from_word(&word).ok_or_else(|| {
                    let words = $name::ALL.map($name::word);
                    let expected = concat!("is not ", $what, "; expected one of: ");
                    ::serde::de::Error::custom(format!("{word:?} {expected}{}", words.join(", ")))
                })
            }
        }
    };
}

pub(crate) use words;

//! What stands in messages is nobody's business in a log: names, numbers, push tokens, credentials.

/// `Debug` that gives a type's name and nothing that it holds.
macro_rules! hidden {
    ($($kind:ident)*) => {$(
        impl std::fmt::Debug for super::$kind<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($kind), "(…)"))
            }
        }
    )*};
}

hidden! { Header Host Kind Lines NameAddr Param Params SipUri Start TelUri Uri Via }

impl std::fmt::Debug for super::scan::Scanner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scanner({} bytes)", self.rest().len())
    }
}

//! Java's methods that templates may call, known by name when a template is compiled.

use crate::base::pattern::Extent;

macro_rules! methods {
    ($($variant:ident $name:literal)*) => {
        /// A method by name; which of Java's it is depends on the object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Method { $($variant),* }

        impl Method {
            /// The method of this name; `None` when nothing here has it.
            pub(super) fn of(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$variant,)*
                    _ => return None,
                })
            }
        }
    };
}

methods! {
    Add "add" AddAll "addAll" BooleanValue "booleanValue" ByteValue "byteValue" CharAt "charAt" Clear "clear"
    CodePointAt "codePointAt" CompareTo "compareTo" CompareToIgnoreCase "compareToIgnoreCase" Concat "concat"
    Contains "contains" ContainsAll "containsAll" ContainsKey "containsKey" ContainsValue "containsValue"
    ContentEquals "contentEquals" Count "count" DoubleValue "doubleValue" EndsWith "endsWith" EntrySet "entrySet"
    Equals "equals" EqualsIgnoreCase "equalsIgnoreCase" FloatValue "floatValue" Format "format" Get "get"
    GetBytes "getBytes" GetKey "getKey" GetOrDefault "getOrDefault" GetValue "getValue" HasNext "hasNext"
    HashCode "hashCode" IndexOf "indexOf" IntValue "intValue" Intern "intern" IsBlank "isBlank" IsEmpty "isEmpty"
    IsInfinite "isInfinite" IsNaN "isNaN" Iterator "iterator" Join "join" KeySet "keySet" LastIndexOf "lastIndexOf"
    Length "length" LongValue "longValue" Matches "matches" Max "max" Min "min" Next "next"
    ParseBoolean "parseBoolean" ParseDouble "parseDouble" ParseFloat "parseFloat" ParseInt "parseInt"
    ParseLong "parseLong" Put "put" PutAll "putAll" PutIfAbsent "putIfAbsent" Remove "remove" RemoveAll "removeAll"
    Repeat "repeat" Replace "replace" ReplaceAll "replaceAll" ReplaceFirst "replaceFirst" RetainAll "retainAll"
    Set "set" SetValue "setValue" ShortValue "shortValue" Size "size" Split "split" StartsWith "startsWith"
    Strip "strip" StripLeading "stripLeading" StripTrailing "stripTrailing" SubList "subList"
    SubSequence "subSequence" Substring "substring" Sum "sum" ToArray "toArray" ToBinaryString "toBinaryString"
    ToCharArray "toCharArray" ToHexString "toHexString" ToLowerCase "toLowerCase" ToString "toString"
    ToUpperCase "toUpperCase" Trim "trim" ValueOf "valueOf" Values "values"
}

impl Method {
    /// What of a text has to match the pattern that is the first argument; `None`: it is no pattern.
    pub(super) fn pattern_extent(self) -> Option<Extent> {
        match self {
            Self::Matches => Some(Extent::Whole),
            Self::ReplaceAll | Self::ReplaceFirst | Self::Split => Some(Extent::Part),
            _ => None,
        }
    }
}

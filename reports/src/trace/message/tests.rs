//! Messages of each language about values of several types.

use super::*;

/// The errors of a row are one mistake, and those of two rows are two.
fn check(rows: &[&[&str]]) {
    let mut names = std::collections::BTreeSet::new();
    for row in rows {
        let of_row: Vec<String> = row.iter().map(|error| mistake(error)).collect();
        assert!(of_row.iter().all(|name| *name == of_row[0]), "{of_row:#?}");
        assert!(names.insert(of_row[0].clone()), "{names:#?}");
    }
}

#[test]
fn one_mistake_in_node_has_one_name_for_all_values() {
    check(&[
        &[
            "TypeError: Cannot create property 'x' on number '5'",
            "TypeError: Cannot create property 'y' on string 'a b'",
            "TypeError: Cannot set properties of null (setting 'x')",
            "TypeError: Cannot assign to read only property '0' of string 'text'",
        ],
        &[
            "TypeError: Cannot assign to read only property 'name' of function 'function () {",
            "TypeError: Cannot assign to read only property '0' of object '[object Array]'",
        ],
        &[
            "TypeError: Cannot read properties of null (reading 'from')",
            "TypeError: Cannot read properties of undefined (reading 'to')",
            "TypeError: links.forEach is not a function",
        ],
        &["TypeError: cb is not a function"],
        &["TypeError: CreateListFromArrayLike called on non-object"],
        &[
            "TypeError: links is not iterable",
            "TypeError: number 5 is not iterable (cannot read property Symbol(Symbol.iterator))",
        ],
        &["RangeError: Invalid array length"],
        &["Error: no method 7", "Error: no method 12"],
        &[
            "SyntaxError: Unexpected token a in JSON at position 3",
            "SyntaxError: Unexpected end of JSON input",
        ],
    ]);
}

#[test]
fn one_mistake_in_other_languages_has_one_name_for_all_values() {
    check(&[
        &[
            "TypeError: 'int' object is not subscriptable",
            "TypeError: string indices must be integers, not 'str'",
            "TypeError: list indices must be integers or slices, not str",
            "TypeError: 'NoneType' object is not subscriptable",
        ],
        &[
            "AttributeError: 'str' object has no attribute 'get'",
            "AttributeError: 'NoneType' object has no attribute 'get'",
        ],
        &["TypeError: unhashable type: 'list'"],
        &[
            "undefined method `each' for nil:NilClass (NoMethodError)",
            "undefined method `each' for 5:Integer (NoMethodError)",
            "undefined method 'each' for an instance of String (NoMethodError)",
        ],
        &[
            "no implicit conversion of String into Integer (TypeError)",
            "no implicit conversion from nil to integer (TypeError)",
        ],
        &[
            "java.lang.ClassCastException: class java.lang.String cannot be cast to class java.util.List (java.lang.String is in module java.base)",
            "java.lang.ClassCastException: class java.lang.Double cannot be cast to class java.util.List (java.lang.Double is in module java.base)",
        ],
        &[
            "interface conversion: interface {} is string, not map[string]interface {}",
            "interface conversion: interface {} is nil, not map[string]interface {}",
        ],
        &["index out of range [5] with length 3", "index out of range [-1] with length 12"],
        &[
            "Can't use string (\"text\") as an ARRAY ref while \"strict refs\" in use",
            "Not an ARRAY reference",
            "Can't use an undefined value as an ARRAY reference",
        ],
        &[
            "Uncaught TypeError: scrub(): Argument #1 ($x) must be of type array, int given",
            "Uncaught TypeError: scrub(): Argument #1 ($x) must be of type array, null given",
        ],
        &[
            "Uncaught Error: Cannot create dynamic property Closure::$1",
            "Uncaught Error: Cannot create dynamic property Closure::$constructor",
            "Uncaught Error: Cannot create dynamic property Closure::$",
        ],
        &[
            "Uncaught Error: Attempt to modify property \"0\" on null",
            "Uncaught Error: Attempt to modify property \"toJSON\" on null",
        ],
        &[
            "859: unexpected token at '' (JSON::ParserError)",
            "859: unexpected token at ']}]}]}",
            "json.decoder.JSONDecodeError: Extra data: line 1 column 3 (char 2)",
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 41: invalid start byte",
        ],
        &["nesting of 101 is too deep (JSON::NestingError)"],
    ]);
}

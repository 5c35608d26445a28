//! A number as its text, with conversions to a double and to an integer.

/// A JSON number, as it was written.
///
/// ```
/// use dnode_spec::value::Value;
///
/// let value = Value::parse(b"1.0e2").unwrap();
/// let number = value.root().as_number().unwrap();
/// assert_eq!((number.text(), number.to_f64(), number.to_integer()), ("1.0e2", 100.0, Some(100)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number<'a> {
    text: &'a str,
}

/// The largest integer up to which a double can represent all integers: 2^53 - 1.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// The number of digits of [`MAX_SAFE`].
const MAX_SAFE_DIGITS: i64 = 16;

/// From this length on, the standard library may misread a number: it caps exponents near 65,536,
/// and a text this long can have enough digits to compensate for such an exponent.
const LONG: usize = 0x8000;

impl<'a> Number<'a> {
    /// A number that the parser has accepted.
    pub(super) fn from_ascii(text: &'a [u8]) -> Number<'a> {
        Number { text: std::str::from_utf8(text).unwrap_or_default() }
    }

    /// The number as it was written.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// The nearest double, as JavaScript reads it: infinity above the range of doubles, zero below
    /// it. `-0` keeps its sign.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        if self.text.len() < LONG {
            return self.text.parse().unwrap_or(f64::NAN);
        }
        let decimal = Decimal::read(self.text);
        let digits: String = decimal.digits().map(char::from).collect();
        let sign = if decimal.negative { "-" } else { "" };
        // A number with such a scale is above or below the range of doubles, so larger scales give
        // the same result.
        let scale = decimal.scale.saturating_add_unsigned(digits.len() as u64).clamp(-9999, 9999);
        format!("{sign}0.{digits}e{scale}").parse().unwrap_or(f64::NAN)
    }

    /// The number as an integer, however it is written; `None` if its value is not an integer
    /// between -(2^53 - 1) and 2^53 - 1. So `0.0` and `-0` give 0, `1e2` gives 100, and `0.5` and
    /// 9007199254740992 give `None`.
    #[must_use]
    pub fn to_integer(self) -> Option<i64> {
        if let Ok(plain) = self.text.parse::<i64>() {
            return (plain.unsigned_abs() <= MAX_SAFE).then_some(plain);
        }
        let decimal = Decimal::read(self.text);
        let count = decimal.digits().count() as i64;
        if count == 0 {
            return Some(0);
        }
        if decimal.scale < 0 || decimal.scale.saturating_add(count) > MAX_SAFE_DIGITS {
            return None;
        }
        let zeros = std::iter::repeat_n(b'0', usize::try_from(decimal.scale).ok()?);
        let size = decimal.digits().chain(zeros).fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        let signed = i64::try_from(size).ok().filter(|_| size <= MAX_SAFE)?;
        Some(if decimal.negative { -signed } else { signed })
    }
}

/// The parts of a number: its digits, as an integer, times ten to the power of `scale`.
struct Decimal<'a> {
    negative: bool,
    /// The digits before and after the point, without leading zeros of the number and without
    /// trailing zeros.
    whole: &'a [u8],
    fraction: &'a [u8],
    scale: i64,
}

impl<'a> Decimal<'a> {
    /// Splits the text of a JSON number, in linear time.
    fn read(text: &'a str) -> Decimal<'a> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut whole = trim_start(whole.as_bytes());
        let mut fraction = trim_end(fraction.as_bytes());
        let mut scale = read_exponent(exponent).saturating_sub_unsigned(fraction.len() as u64);
        if fraction.is_empty() {
            let all = whole.len();
            whole = trim_end(whole);
            scale = scale.saturating_add_unsigned((all - whole.len()) as u64);
        }
        if whole.is_empty() {
            fraction = trim_start(fraction);
        }
        Decimal { negative: text.starts_with('-'), whole, fraction, scale }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }
}

/// An exponent. It is clamped to a value that no number of digits in a line can compensate for.
fn read_exponent(text: &str) -> i64 {
    const CLAMP: i64 = 1 << 60;
    match text.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-CLAMP, CLAMP),
        Err(_) if text.starts_with('-') => -CLAMP,
        Err(_) => CLAMP,
    }
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    &digits[..digits.len() - zeros]
}

#[cfg(test)]
mod tests {
    use crate::value::Value;
    use proptest::prelude::*;

    fn double(text: &str) -> f64 {
        Value::parse(text.as_bytes()).unwrap().root().as_number().unwrap().to_f64()
    }

    fn integer(text: &str) -> Option<i64> {
        Value::parse(text.as_bytes()).unwrap().root().as_number().unwrap().to_integer()
    }

    #[test]
    fn integers_are_exact_in_any_spelling() {
        let zeros = "0".repeat(100_000);
        let zero = format!("0 -0 0.0 0e999999999999999999999 -0.000e-5 0.{zeros} 0e-1");
        let hundred = format!(
            "100 100.0 1e2 1E+2 10000e-2 0.001e5 10.0e1 100.{zeros} 0.{zeros}1e100003 1{zeros}e-99998"
        );
        let largest = "9007199254740991 9007199254740991.0 9.007199254740991e15 900719925474099100e-2";
        let none = format!(
            "0.5 1e-1 15e-1 1.05e1 9007199254740992 9007199254740991.5 9007199254740992.0 \
             9223372036854775808 99999999999999999999999999 1e16 1e999999999 1e-999999999 1e99999999999999999999999999 \
             5{zeros}e-100001 5.{zeros}1 5{zeros}"
        );
        let cases = [(&*zero, Some(0)), (&hundred, Some(100)), (largest, Some((1 << 53) - 1)), (&none, None)];
        for (texts, expected) in cases {
            for text in texts.split(' ') {
                assert_eq!(integer(text), expected, "{text:.40}");
                if !text.starts_with('-') {
                    assert_eq!(integer(&format!("-{text}")), expected.map(|n| -n), "-{text:.40}");
                }
            }
        }
    }

    #[test]
    fn doubles_are_correctly_rounded_at_any_length() {
        let zeros = "0".repeat(100_000);
        let cases = [
            ("0 0e99999999999999999999999 1e-400 0.ZEROS 0.ZEROS1 1ZEROSe-99999999999999999999999", 0.0),
            ("1 1.0 10e-1 0.ZEROS1e100001 1ZEROSe-100000 1.ZEROS", 1.0),
            ("1e400 1e99999999999999999999999 1ZEROS 0.ZEROS1e99999999999999999999999", f64::INFINITY),
            ("9007199254740993 9007199254740993.ZEROS 9007199254740992.999", 9007199254740992.0),
            ("9007199254740994 9007199254740993.ZEROS1", 9007199254740994.0),
            ("5e-324 4.9406564584124654e-324", 5e-324),
            ("1.7976931348623157e308", f64::MAX),
            ("2.2250738585072011e-308", 2.225073858507201e-308),
        ];
        for (texts, expected) in cases {
            for text in texts.split(' ') {
                let text = text.replace("ZEROS", &zeros);
                assert_eq!(double(&text).to_bits(), expected.to_bits(), "{text:.40}");
                assert_eq!(double(&format!("-{text}")).to_bits(), (-expected).to_bits(), "-{text:.40}");
            }
        }
    }

    proptest! {
        #[test]
        fn integer_does_not_depend_on_spelling(n in -(1i64 << 53) + 1..1 << 53, shift in 1usize..30) {
            let sign = if n < 0 { "-" } else { "" };
            let size = n.unsigned_abs();
            let zeros = "0".repeat(shift);
            let (whole, fraction) = (size / 100, size % 100);
            prop_assert_eq!(integer(&format!("{sign}{whole}.{fraction:02}{zeros}e2")), Some(n));
            prop_assert_eq!(integer(&format!("{sign}0.{zeros}{size:016}e{}", shift + 16)), Some(n));
            prop_assert_eq!(integer(&format!("{n}{zeros}e-{shift}")), Some(n));
            prop_assert_eq!(double(&n.to_string()), n as f64);
        }
    }
}

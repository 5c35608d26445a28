//! Runs the examples. The other tests use the probe too.

use crate::support::on_one_thread;

#[path = "../../examples/calculate.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test does not run main")]
mod calculate;
#[path = "../../examples/mul.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test does not run main")]
mod mul;
#[path = "../../examples/probe.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test does not run main")]
pub(crate) mod probe;

#[test]
fn mul_multiplies() {
    let product = on_one_thread(async { mul::multiply(6.0, 7.0).await.unwrap() });
    assert!((product - 42.0).abs() < f64::EPSILON, "{product}");
}

#[test]
fn calculate_calls_div_of_the_client() {
    let result = on_one_thread(async { calculate::calculate(100.0, 8.0).await.unwrap() });
    assert!((result - 13.5).abs() < f64::EPSILON, "{result}");
}

//! One dispatch over number formats.

/// Calls a function that is generic over the engine's number system with that of a format:
/// `by_number_format!(artifact.number_format(), answers(&artifact, input))` is
/// `answers::<Fixed>(&artifact, input)` where the file holds integers.
#[macro_export]
macro_rules! by_number_format {
    ($format:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $format {
            ::flow_infer::plan::NumberFormat::Q8 => {
                $function::<::flow_infer::engine::Fixed>($($argument),*)
            }
            ::flow_infer::plan::NumberFormat::F32 => {
                $function::<::flow_infer::engine::F32>($($argument),*)
            }
            ::flow_infer::plan::NumberFormat::F16 => {
                $function::<::flow_infer::engine::F16>($($argument),*)
            }
        }
    };
}

//! to_data(to_latent(v)) = v; where whitening leaves something of v out, to_latent(to_data(z)) = z.

use flow_infer::spec::InputSpec;
use flow_reference::{evaluate, to_data};
use flow_tests::models::{self, NamedModel, random_data};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{ROUND_TRIP, Worst};

#[test]
fn data_come_back_from_their_latent() {
    let mut worst = Worst::of(ROUND_TRIP);
    for NamedModel { name, model } in models::small_models()
        .into_iter()
        .chain(models::single_couplings())
    {
        let mut random = SplitMix64::named(&format!("{name}: round trip"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_data(&model, &mut random);
        let found = evaluate(&model, &data);
        assert!(found.log_prob_nats.is_finite());
        let moved = data.iter().zip(&found.z).filter(|(v, z)| v != z).count();
        assert!(2 * moved > found.z.len(), "{name} hardly moves its data");
        let back = to_data(&model, &found.z);
        let (back, wanted) = match model.spec().input {
            InputSpec::Whitened { .. } => (evaluate(&model, &back).z, &found.z),
            InputSpec::Image { .. } | InputSpec::Vector { .. } => (back, &data),
        };
        for (i, (&back, &v)) in back.iter().zip(wanted).enumerate() {
            worst.check(format_args!("{name} [{i}]"), back, v);
        }
    }
}

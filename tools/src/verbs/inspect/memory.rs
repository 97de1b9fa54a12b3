//! What lies in the activation scratch while a model runs: row by row, in the order in which rows are computed.

use flow_infer::plan::{Coupling, Schedule, lowest_needed};

/// The scratch just after a row was computed, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The layer that computed the row, and the row.
    pub(super) layer: usize,
    pub(super) row: usize,
    /// In rows that some layer still reads.
    pub(super) live: usize,
}

/// Every row of a coupling's conditioner.
pub(super) fn moments(coupling: &Coupling) -> Vec<Moment> {
    let mut schedule = Schedule::new(coupling);
    let mut moments = vec![];
    while let Some(event) = schedule.next_row(coupling) {
        moments.push(Moment {
            layer: event.layer,
            row: event.row,
            live: live(coupling, &schedule),
        });
    }
    moments
}

fn live(coupling: &Coupling, schedule: &Schedule) -> usize {
    let of_buffer = |(id, buffer): (usize, &flow_infer::plan::Buffer)| {
        let filled = schedule.filled(id as u8);
        let lowest = coupling.layers.iter().enumerate().filter_map(|(i, layer)| {
            let height = usize::from(coupling.output_shape(layer)?.height);
            let row = schedule.done(i);
            (row < height).then(|| lowest_needed(coupling, layer, row, id as u8))
        });
        filled.saturating_sub(lowest.min().unwrap_or(usize::MAX)) * buffer.row_len()
    };
    coupling.buffers.iter().enumerate().map(of_buffer).sum()
}

/// The rings of a coupling, in elements.
pub(super) fn rings(coupling: &Coupling) -> usize {
    let rings = coupling.buffers.iter();
    rings.map(|buffer| buffer.ring_len().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::artifact::Artifact;
    use flow_infer::plan::Step;
    use flow_train_host::export::rings::layer_by_layer;

    const MODEL: &[u8] = include_bytes!("../../../../firmware/models/fashion-tiny.flow");

    fn couplings() -> Vec<Coupling> {
        let artifact = Artifact::load(MODEL).unwrap();
        let steps = artifact.steps().map(Result::unwrap);
        let couplings = steps.filter_map(|step| match step {
            Step::Coupling(coupling) => Some(coupling),
            _ => None,
        });
        couplings.collect()
    }

    #[test]
    fn rings_hold_what_is_still_read_and_little_more() {
        for coupling in couplings() {
            let moments = moments(&coupling);
            let rows = coupling.layers.iter().map(|layer| {
                let shape = coupling.output_shape(layer).unwrap();
                usize::from(shape.height)
            });
            assert_eq!(moments.len(), rows.sum::<usize>());
            let most = moments.iter().map(|moment| moment.live).max().unwrap();
            assert!(most <= rings(&coupling));
            assert_eq!(moments.last().unwrap().live, 0);
        }
    }

    /// The largest coupling decides what a board must have.
    #[test]
    fn rings_take_at_most_a_third_of_whole_planes() {
        let most = |need: fn(&Coupling) -> usize| couplings().iter().map(need).max().unwrap();
        assert!(3 * most(rings) <= most(layer_by_layer));
        assert!(2 * most(rings) <= 24 * 1024, "bytes");
    }
}

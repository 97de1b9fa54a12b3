//! What a model must be to run on this device.

use crate::Refused;
use ed25519_compact::{PublicKey, Signature};
use flow_infer::{InputShape, Model};

/// Where a file's header says how long it is.
const TOTAL_LEN: core::ops::Range<usize> = 8..12;

/// What the firmware asks of a model.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// ed25519 key of whoever may make models for this device.
    pub public_key: [u8; 32],
    /// What the device's sensor gives.
    pub input: InputShape,
    /// Only models of a higher version run: that of a model in the program itself, or 0.
    pub newer_than: u32,
}

impl Rules {
    /// The model that a slot begins with, if it may run here; its golden vectors are still to be tried.
    pub(crate) fn model<'b>(&self, slot: &'b [u8]) -> Result<Model<'b>, Refused> {
        let model = Model::load(file(slot)).map_err(Refused::Model)?;
        self.check_signature(&model)?;
        if model.input() != self.input {
            return Err(Refused::OtherInput {
                device: self.input,
                model: model.input(),
            });
        }
        passes(self.newer_than, &model)?;
        Ok(model)
    }

    /// The version that a slot's file says it has, before anybody has vouched for it; 0 of no file.
    pub(crate) fn claimed_version(slot: &[u8]) -> u32 {
        Model::load(file(slot)).map_or(0, |model| model.version())
    }

    fn check_signature(&self, model: &Model<'_>) -> Result<(), Refused> {
        let signed = model.artifact().signed().ok_or(Refused::Unsigned)?;
        if *signed.public_key != self.public_key {
            return Err(Refused::ForeignKey);
        }
        // The firmware's own key verifies, whatever the file says.
        let key = PublicKey::new(self.public_key);
        let verified = key.verify(signed.message, &Signature::new(*signed.signature));
        verified.map_err(|_| Refused::Signature)
    }
}

/// Whether a model's version is higher than another.
pub(crate) fn passes(version: u32, model: &Model<'_>) -> Result<(), Refused> {
    match model.version() > version {
        true => Ok(()),
        false => Err(Refused::OldVersion {
            passes: version,
            found: model.version(),
        }),
    }
}

/// The file that a slot begins with; the whole slot where its header does not say how long it is.
fn file(slot: &[u8]) -> &[u8] {
    let len = slot.get(TOTAL_LEN).and_then(|len| len.try_into().ok());
    let len = len
        .map(u32::from_le_bytes)
        .and_then(|len| usize::try_from(len).ok());
    len.and_then(|len| slot.get(..len)).unwrap_or(slot)
}

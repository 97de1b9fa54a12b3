//! `flowgate sign`: says who vouches for a `.flow`.

use crate::model::Loaded;
use crate::output::Output;
use crate::place;
use crate::signature;
use crate::table::Table;
use anyhow::Result;
use flow_train_host::export::file::FlowFile;
use flow_train_host::files::{one_line, write_atomically};
use std::path::PathBuf;

/// Sign a .flow; the signature covers every byte, the model version against roll-back among them
#[derive(clap::Args)]
#[command(
    after_help = "Sign last: whatever changes a file afterwards (calibrate, for one) takes the signature off.\n\n\
    Example:\n  openssl genpkey -algorithm ed25519 -out key.pem\n  openssl pkey -in key.pem -pubout -out public.pem\n  \
    flowgate sign tiny.flow --key key.pem --out tiny.flow\n  flowgate verify tiny.flow --key public.pem"
)]
pub(crate) struct Args {
    /// The .flow
    model: PathBuf,
    /// ed25519 private key, PEM
    #[arg(long, value_name = "KEY.pem")]
    key: PathBuf,
    /// Where the signed .flow goes; may be the same file
    #[arg(long, value_name = "MODEL.flow")]
    out: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::file(&self.out, &[&self.key], out)?;
        let loaded = Loaded::open_flow(&self.model)?;
        let artifact = loaded.artifact()?;
        let key = signature::key_pair(&self.key)?;
        let mut file = FlowFile::from_artifact(&artifact);
        file.sign(|message| (*key.pk, *key.sk.sign(message, None)))?;
        let bytes = file.to_bytes()?;
        write_atomically(&self.out, |w| w.write_all(&bytes))?;
        let mut table = Table::facts();
        table.fact("signed by", signature::fingerprint(&key.pk[..]));
        table.fact("model version", file.model_version.to_string());
        table.fact("written", one_line(&self.out).to_string());
        Ok(table.print(out)?)
    }
}
